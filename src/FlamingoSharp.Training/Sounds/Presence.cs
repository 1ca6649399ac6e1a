namespace FlamingoSharp.Training.Sounds;

/// <summary>Makes yes/no questions about what is heard, as many answered yes as no for every kind of sound.</summary>
/// <remarks>
/// The written presence questions lean to one side (some sounds are only ever asked about where they are missing), so a model
/// could answer them without listening. Here the thing that is not there is drawn exactly as the thing that is.
/// </remarks>
internal sealed class Presence
{
    /// <summary>A question that a sound answers with yes.</summary>
    /// <param name="Question">With its question mark.</param>
    /// <param name="Labels">Labels that all sounds have for which the answer is yes.</param>
    /// <param name="Domain">Of the thing asked about.</param>
    private sealed record Term(string Question, IReadOnlyCollection<string> Labels, string Domain);

    // Wider terms than one concept.
    private static readonly Term[] WideTerms =
    [
        .. new (string Label, string Domain, string Question)[]
        {
            ("speech", "speech", "is someone speaking in this recording?"), ("speech", "speech", "can you hear a person speaking?"),
            ("synthetic speech", "speech", "is the voice synthetic?"), ("female", "speech", "is a woman speaking?"),
            ("male", "speech", "is a man speaking?"), ("music", "music", "is there music in this recording?"),
            ("drum", "music", "can you hear a drum?"), ("cymbal", "music", "can you hear a cymbal?"),
            ("percussion", "music", "can you hear a percussion instrument?"), ("string instrument", "music", "can you hear a string instrument?"),
            ("guitar", "music", "can you hear a guitar?"), ("piano", "music", "can you hear a piano?"),
            ("animal", "sound", "can you hear an animal?"), ("bird", "sound", "can you hear a bird?"),
            ("insect", "sound", "can you hear an insect?"), ("vehicle", "sound", "can you hear a vehicle?"),
            ("engine", "sound", "can you hear an engine?"), ("water", "sound", "can you hear water?"),
            ("weapon", "sound", "can you hear a weapon?"), ("tool", "sound", "can you hear a tool?"),
            ("bell", "sound", "can you hear a bell?"), ("footsteps", "sound", "can you hear footsteps?"),
            ("laughter", "sound", "can you hear laughter?"), ("crowd", "sound", "can you hear a crowd?"),
            ("tone", "sound", "can you hear a tone?"), ("noise", "sound", "can you hear noise?"),
            ("beep", "sound", "can you hear a beep?"), ("silence", "sound", "is the recording silent?"),
            ("speech", "speech", "can you hear speech?"), ("music", "music", "can you hear music?"),
            ("rain", "sound", "can you hear rain?"), ("rain", "sound", "is it raining?"), ("thunder", "sound", "can you hear thunder?"),
            ("wind", "sound", "can you hear wind?"), ("fire", "sound", "can you hear fire?"),
            ("explosion", "sound", "can you hear an explosion?"), ("car", "sound", "can you hear a car?"), ("door", "sound", "can you hear a door?"),
            ("clock", "sound", "can you hear a clock?"), ("horn", "sound", "can you hear a horn?"), ("dog", "sound", "can you hear a dog?"),
            ("cat", "sound", "can you hear a cat?"), ("horse", "sound", "can you hear a horse?"), ("gunshot", "sound", "can you hear a gunshot?"),
        }.Select(t => new Term(t.Question, [t.Label], t.Domain)),
    ];

    // Sounds of many sources: what is in them beyond their labels is unknown, so nothing of that domain is denied.
    private static readonly (string Label, string Domain)[] Broad =
    [
        ("ambience", "sound"), ("crowd", "sound"), ("farm", "sound"), ("traffic", "sound"), ("machine", "sound"), ("user interface", "sound"),
        ("music", "music"), ("drums", "music"), ("drum beat", "music"), ("music", "sound"),
    ];

    // Every sound has these or could: sharing one says nothing.
    private static readonly HashSet<string> Vague = ["music", "percussion", "sound effect", "human", "speech", "single note", "chord", "melody"];

    private readonly SamplingWeights _weights;
    private readonly Dictionary<string, Term> _concepts = [];

    public Presence(SoundCatalogue catalogue, SamplingWeights weights)
    {
        _weights = weights;
        var clips = catalogue.Clips.Where(c => c.Concept is not null).ToLookup(c => c.Concept!);
        foreach (var (concept, phrase) in catalogue.Recipes.OfType<CompositionRecipe>().SelectMany(r => r.Heard))
        {
            if (_concepts.ContainsKey(concept) || !clips.Contains(concept))
                continue;
            var common = clips[concept].Select(c => c.Labels.AsEnumerable()).Aggregate((a, b) => a.Intersect(b));
            _concepts.Add(concept, new($"can you hear {phrase}?", [.. common], clips[concept].First().Domain));
        }
    }

    /// <summary>A question about a sound; null where none was found.</summary>
    /// <remarks>
    /// Half of what is denied is of the sound's own category: that a voice is no dog says nothing about the language that it speaks.
    /// </remarks>
    public (string Question, bool Answer)? Ask(LabelledSound sound, ref SplitMix random)
    {
        bool answer = random.NextDouble() < 0.5, alike = random.NextDouble() < 0.5;
        for (int attempt = 0; attempt < (answer ? 1 : alike ? 60 : 20); attempt++)
        {
            var other = answer ? sound : _weights.Draw(ref random);
            if (alike && SamplingWeights.CategoryOf(other) != SamplingWeights.CategoryOf(sound))
                continue;
            var terms = TermsOf(other).Where(t => answer || CanDeny(t, sound)).ToList();
            if (terms.Count > 0)
                return (terms[random.Next(terms.Count)].Question, answer);
        }
        return null;
    }

    private IEnumerable<Term> TermsOf(LabelledSound sound)
    {
        foreach (var term in WideTerms)
        {
            if (term.Labels.All(sound.Labels.Contains))
                yield return term;
        }
        foreach (string concept in ConceptsOf(sound))
        {
            if (_concepts.TryGetValue(concept, out var term))
                yield return term;
        }
        if (LanguageOf(sound) is { } language)
            yield return new($"is someone speaking {language[(language.IndexOf(':') + 1)..].ToLowerInvariant()}?", [language], "speech");
        if (sound is MusicRecipe { Instrument: { } instrument })
            yield return new($"can you hear {WithArticle(instrument.ToLowerInvariant())}?", [sound.Labels[0], sound.Labels[1]], "music");
    }

    // Only what is surely absent is denied; where labels leave a doubt, another question is drawn.
    private bool CanDeny(Term term, LabelledSound sound)
    {
        if (TermsOf(sound).Any(own => own.Question == term.Question))
            return false;
        switch (term.Labels.First())
        {
            case "female" or "male": // many speakers' voices are not labelled
                return sound.Labels.Contains("female") != sound.Labels.Contains("male") || sound.Domain == "music";
            case var label when label.StartsWith("language:", StringComparison.Ordinal):
                return LanguageOf(sound) is not null || sound.Domain != "speech";
            case "music" or "percussion" when term.Labels.Count == 1 && sound.Domain == "music": // single hits carry neither
                return false;
        }
        if (Broad.Any(b => b.Domain == term.Domain && sound.Labels.Contains(b.Label)) && !HasOtherInstrument(term, sound))
            return false;
        // "a hi-hat" is not denied for an open one, nor "an open hi-hat" where the labels only say hi-hat.
        var own = sound.Labels.Where(l => !Vague.Contains(l)).ToList();
        return !term.Labels.All(sound.Labels.Contains) && !(own.Count > 0 && own.All(term.Labels.Contains));
    }

    // One instrument alone is not broad, though it is labelled music; families are too alike inside to be told apart.
    private static bool HasOtherInstrument(Term term, LabelledSound sound) =>
        sound is MusicRecipe { Instrument: not null } && term.Domain == "music" && !term.Labels.Intersect(sound.Labels.Skip(1).Take(1)).Any();

    private static IEnumerable<string> ConceptsOf(LabelledSound sound) => sound switch
    {
        Clip { Concept: { } concept } => [concept],
        CompositionRecipe recipe => recipe.Heard.Select(h => h.Concept),
        _ => [],
    };

    private static string? LanguageOf(LabelledSound sound) =>
        sound.Labels.FirstOrDefault(l => l.StartsWith("language:", StringComparison.Ordinal));

    private static string WithArticle(string noun) =>
        noun.EndsWith('s') && !noun.EndsWith("bass", StringComparison.Ordinal) ? noun : (noun[0] is 'a' or 'e' or 'i' or 'o' or 'u' ? "an " : "a ") + noun;
}
