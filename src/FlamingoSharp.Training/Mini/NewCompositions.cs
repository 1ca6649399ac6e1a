using FlamingoSharp.Training.Sounds;
using SoundQuestion = FlamingoSharp.Training.Sounds.Question;

namespace FlamingoSharp.Training;

/// <summary>A stored sound's place in a spectrogram that is put together.</summary>
/// <param name="Id">The sound.</param> <param name="StartFrame">Where it begins.</param>
/// <param name="Decibels">Its level.</param> <param name="Levelled">True brings the part to a common mean power first, as in a mix.</param>
/// <param name="LoopFrames">Frames that it is repeated over; 0 for once.</param> <param name="FirstFrames">Its beginning alone is heard; 0 for all of it.</param>
internal readonly record struct PlacedSound(string Id, int StartFrame, double Decibels = 0, bool Levelled = false, int LoopFrames = 0, int FirstFrames = 0);

/// <summary>A composition that is in no file, with what may be asked about it.</summary>
internal sealed record NewComposition(CompositionRecipe Sound, IReadOnlyList<SoundQuestion> Questions, IReadOnlyList<PlacedSound> Parts);

/// <summary>
/// Makes compositions of training sounds without end, in the manner of the catalogue's own: one sound several times, several in a row, one
/// in front of a background. Counting and order are learned from these; the few in the files would be learned by heart.
/// </summary>
internal sealed class NewCompositions
{
    private const double ClickSeconds = 0.2; // the fastest metronome clicks every 0.27 s

    private static readonly string[] Numbers = ["", "one", "two", "three", "four", "five", "six", "seven", "eight"];

    private readonly double _seconds;
    private readonly double _frame;
    private readonly Event[][] _events;      // one row a concept: sounds that happen once
    private readonly Event[][] _ingredients; // one row a concept: sounds short enough for a row of them
    private readonly Event[][] _foregrounds;
    private readonly Event[] _backgrounds;
    private readonly Event[] _beeps;
    private readonly Event[] _clicks;

    /// <param name="catalogue">Names the concepts.</param> <param name="training">What may be used.</param>
    /// <param name="seconds">Length of a composition at most.</param> <param name="frameSeconds">Time between frames.</param>
    public NewCompositions(SoundCatalogue catalogue, IReadOnlyList<LabelledSound> training, double seconds, double frameSeconds)
    {
        (_seconds, _frame) = (seconds, frameSeconds);
        var usable = training.ToDictionary(s => s.Id);
        var recipes = training.OfType<CompositionRecipe>().ToList();
        var phrases = recipes.SelectMany(r => r.Heard).DistinctBy(h => h.Concept).ToDictionary(h => h.Concept, h => h.Phrase);
        var checkedOnce = recipes.Where(r => r.Composition == CompositionKind.Repeat).SelectMany(r => r.Parts).Select(p => p.Ref).ToHashSet();
        var clips = training.OfType<Clip>().Where(c => c.Concept is not null && c.LabelQuality != "weak" && phrases.ContainsKey(c.Concept))
            .Select(c => new Event(c.Id, c.Concept!, phrases[c.Concept!], c.Labels, Length(c), false)).ToList();
        var notes = training.OfType<MusicRecipe>().Where(m => m is { Notes.Count: 1, Instrument: not null } && m.Labels.Contains("single note"))
            .Select(m => new Event(m.Id, m.Instrument!, WithArticle(m.Instrument!.ToLowerInvariant()), m.Labels, m.Notes[0].DurationSeconds, true)).ToList();
        _events = ByConcept(clips.Where(c => checkedOnce.Contains(c.Id)).Concat(notes));
        _ingredients = ByConcept(clips.Where(c => c.Seconds <= 4.5).Concat(notes));
        _foregrounds = ByConcept(clips.Where(c => c.Seconds <= 4.5));
        var tones = training.OfType<ToneRecipe>().ToList();
        _beeps = [.. tones.Where(t => t.Pattern.Count == 1).Select(t => new Event(t.Id, "beep", "a beep", Plain(t), t.Pattern[0], false))];
        _clicks = [.. tones.Where(t => t.Wave == "click").Select(t => new Event(t.Id, "click", "a click", Plain(t), ClickSeconds, false))];
        var mixes = recipes.Where(r => r.Composition == CompositionKind.Mix && r.Heard.Count == 2 && usable.ContainsKey(r.Parts[0].Ref)).ToList();
        // The background is the second thing that a mix's caption names.
        _backgrounds = [.. mixes.Select(r => new Event(r.Parts[0].Ref, r.Heard[1].Concept, r.Heard[1].Phrase, usable[r.Parts[0].Ref].Labels, 0, false)).DistinctBy(e => e.Id)];
    }

    private sealed record Event(string Id, string Concept, string Phrase, IReadOnlyList<string> Labels, double Seconds, bool IsNote);

    /// <summary>Makes one.</summary>
    /// <param name="id">Its id.</param> <param name="random">Draws it.</param>
    public NewComposition? Draw(string id, ref SplitMix random)
    {
        double kind = random.NextDouble();
        if (kind < 0.08)
            return _beeps.Length > 0 ? Beeps(id, ref random) : null;
        if (kind < 0.12)
            return _clicks.Length > 0 ? Clicks(id, ref random) : null;
        if (kind < 0.45)
            return _events.Length > 0 ? Repeat(id, ref random) : null;
        if (kind < 0.86 || _backgrounds.Length == 0)
            return _ingredients.Length > 2 ? Sequence(id, ref random) : null;
        return _foregrounds.Length > 0 ? Mix(id, ref random) : null;
    }

    private NewComposition Repeat(string id, ref SplitMix random)
    {
        var heard = Pick(_events, ref random);
        int wanted = 1 + random.Next(6);
        double shortest = heard.IsNote ? 0.35 : heard.Seconds + 0.12, gap = heard.IsNote ? 0.7 : 1.2;
        bool even = random.NextDouble() < 0.6;
        double interval = shortest + gap * random.NextDouble(), at = 0;
        List<PlacedSound> parts = [];
        while (parts.Count < wanted && at + Math.Min(heard.Seconds, interval) <= _seconds)
        {
            parts.Add(new(heard.Id, Frame(at)));
            at += even ? interval : shortest + gap * random.NextDouble();
        }
        int n = parts.Count;
        string caption = heard.IsNote ? $"{Sentence(heard.Phrase)} plays the same note {n} times."
            : n == 1 ? $"{Sentence(heard.Phrase)}." : $"{Sentence(heard.Phrase)}, repeated so that it is heard {Numbers[n]} times.";
        string question = heard.IsNote ? "How many times is the instrument struck or played?" : $"How many times do you hear {heard.Phrase}?";
        return Make(id, CompositionKind.Repeat, caption, [heard], parts, [(question, "count", $"{n}", [])]);
    }

    private NewComposition Beeps(string id, ref SplitMix random)
    {
        var beep = _beeps[random.Next(_beeps.Length)];
        double interval = beep.Seconds + 0.2 + 0.5 * random.NextDouble();
        var parts = Row(beep, 1 + random.Next(8), interval);
        string caption = parts.Count == 1 ? "One beep." : $"{Sentence(Numbers[parts.Count])} beeps.";
        return Make(id, CompositionKind.Repeat, caption, [beep], parts, [("How many beeps are there?", "count", $"{parts.Count}", [])]);
    }

    // As the catalogue's metronomes: slow up to 60 beats a minute, fast from 150.
    private NewComposition Clicks(string id, ref SplitMix random)
    {
        var click = _clicks[random.Next(_clicks.Length)];
        int beats = (int)(40 * Math.Pow(220.0 / 40, random.NextDouble()));
        beats = beats is > 66 and < 84 or > 126 and < 160 ? 110 : beats; // nothing that a little more or less speed would make another
        string tempo = beats < 80 ? "slow" : beats < 140 ? "medium" : "fast";
        click = click with { Labels = [.. click.Labels.Where(l => l is not ("slow" or "medium" or "fast")), tempo] };
        var parts = Row(click, 5 + random.Next(6), 60.0 / beats);
        return Make(id, CompositionKind.Repeat, $"Metronome clicks at a {tempo} tempo.", [click], parts,
        [
            ("How many clicks are there?", "count", $"{parts.Count}", []),
            ("Is the tempo slow, medium or fast?", "tempo", tempo, ["slow", "medium", "fast"]),
        ]);
    }

    private List<PlacedSound> Row(Event heard, int wanted, double interval)
    {
        List<PlacedSound> parts = [];
        for (int i = 0; i < wanted && i * interval + heard.Seconds <= _seconds; i++)
            parts.Add(new(heard.Id, Frame(i * interval), FirstFrames: Frame(heard.Seconds)));
        return parts;
    }

    private NewComposition Sequence(string id, ref SplitMix random)
    {
        List<Event> heard = [];
        List<PlacedSound> parts = [];
        int wanted = random.NextDouble() < 0.6 ? 2 : 3;
        double at = 0;
        for (int attempt = 0; attempt < 20 && heard.Count < wanted; attempt++)
        {
            var next = Pick(_ingredients, ref random);
            if (at + next.Seconds > _seconds || heard.Any(h => h.Phrase == next.Phrase || h.Labels.Intersect(next.Labels).Count() > 1))
                continue;
            heard.Add(next);
            parts.Add(new(next.Id, Frame(at), 6 * random.NextDouble() - 3));
            at += next.Seconds + 0.1 + 0.5 * random.NextDouble();
        }
        string[] names = [.. heard.Select(h => h.Phrase)];
        string caption = names.Length switch
        {
            1 => $"{Sentence(names[0])}.",
            2 => $"{Sentence(names[0])} followed by {names[1]}.",
            _ => $"{Sentence(names[0])}, then {names[1]}, then {names[2]}.",
        };
        List<(string, string, string, string[])> questions = [("How many different sounds are heard?", "count", $"{names.Length}", [])];
        if (names.Length > 1)
        {
            questions.Add(("Which sound comes first?", "order", names[0], names));
            questions.Add(("Which sound comes first?", "order", names[0], names));
            questions.Add(("Which sound comes last?", "order", names[^1], names));
        }
        if (names.Length > 2)
            questions.Add(($"What comes right after {names[0]}?", "order", names[1], names[1..]));
        return Make(id, CompositionKind.Sequence, caption, heard, parts, questions);
    }

    private NewComposition Mix(string id, ref SplitMix random)
    {
        var back = _backgrounds[random.Next(_backgrounds.Length)];
        var front = Pick(_foregrounds, ref random);
        double length = 4 + random.NextDouble() * (_seconds - 4), room = Math.Max(0, length - front.Seconds);
        PlacedSound[] parts =
        [
            new(back.Id, 0, -4 - 10 * random.NextDouble(), Levelled: true, LoopFrames: Frame(length)),
            new(front.Id, Frame(room * random.NextDouble()), 0, Levelled: true),
        ];
        string[] Choices(string right, IEnumerable<Event> others, ref SplitMix draw)
        {
            string[] pool = [.. others.Select(o => o.Phrase).Distinct().Where(p => p != back.Phrase && p != front.Phrase)];
            HashSet<string> choices = [right];
            for (int attempt = 0; attempt < 20 && choices.Count < 4 && pool.Length > 0; attempt++)
                choices.Add(pool[draw.Next(pool.Length)]);
            return [.. choices];
        }
        return Make(id, CompositionKind.Mix, $"{Sentence(front.Phrase)} with {back.Phrase} in the background.", [front, back], parts,
        [
            ("What is in the background?", "background", back.Phrase, Choices(back.Phrase, _backgrounds, ref random)),
            ("Which sound stands out in the foreground?", "foreground", front.Phrase, Choices(front.Phrase, _foregrounds.Select(c => c[0]), ref random)),
        ]);
    }

    private static NewComposition Make(
        string id, CompositionKind kind, string caption, IReadOnlyList<Event> heard, IReadOnlyList<PlacedSound> parts,
        IEnumerable<(string Text, string Type, string Answer, string[] Choices)> questions) => new(
            new CompositionRecipe
            {
                Id = id,
                Split = "train",
                Domain = "sound",
                Caption = caption,
                Labels = [.. heard.SelectMany(h => h.Labels).Distinct()],
                Composition = kind,
                Heard = [.. heard.Select(h => (h.Concept, h.Phrase))],
                Parts = [.. parts.Select(p => new CompositionPart { Ref = p.Id })],
            },
            [.. questions.Select((q, i) => new SoundQuestion { Id = $"{id}:{i}", Ref = id, Type = q.Type, Text = q.Text, Answer = q.Answer, Choices = q.Choices, Split = "train" })],
            parts);

    private static string[] Plain(LabelledSound sound) => [.. sound.Labels.Where(l => !l.Contains(':'))];

    private int Frame(double seconds) => (int)Math.Round(seconds / _frame);

    // Every concept is as likely as any other.
    private static Event Pick(Event[][] concepts, ref SplitMix random)
    {
        var concept = concepts[random.Next(concepts.Length)];
        return concept[random.Next(concept.Length)];
    }

    private static Event[][] ByConcept(IEnumerable<Event> events) => [.. events.GroupBy(e => e.Concept).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => g.ToArray())];

    private static double Length(Clip clip) => clip.UseSeconds ?? clip.DurationSeconds ?? double.MaxValue;

    private static string WithArticle(string noun) => (noun[0] is 'a' or 'e' or 'i' or 'o' or 'u' ? "an " : "a ") + noun;

    private static string Sentence(string phrase) => char.ToUpperInvariant(phrase[0]) + phrase[1..];
}
