using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training;

/// <summary>One sound of a training text.</summary>
/// <param name="About">What is said of it.</param> <param name="Parts">What a new composition is made of; null for a stored sound.</param>
/// <param name="Drowned">True if noise leaves little of it, so that the words must help.</param>
/// <param name="IsTexture">True if the parts are events of a texture, which has a name of its own.</param>
internal sealed record HeardSound(TrainingText About, IReadOnlyList<PlacedSound>? Parts = null, bool Drowned = false, bool IsTexture = false);

/// <summary>One text of a training batch with its sounds, in order.</summary>
internal sealed record MiniSample(TokenizedText Text, IReadOnlyList<HeardSound> Sounds);

/// <summary>Draws training batches: texts of about one length go together, and the batch of a number is always the same.</summary>
/// <param name="texts">Of the training split.</param> <param name="compositions">Of its sounds.</param>
/// <param name="textures">Of its sounds.</param> <param name="batcher">Spells them.</param>
/// <param name="windowsOf">Windows of a stored sound.</param> <param name="mixture">The shares.</param>
/// <param name="batchSize">Texts in a batch.</param> <param name="seed">Of the draws.</param>
internal sealed class MiniSampler(
    TrainingTexts texts, NewCompositions compositions, SoundTextures textures, TextBatcher batcher, Func<string, int> windowsOf, MiniMixture mixture, int batchSize, long seed)
{
    private const int MostShots = 8;
    private const int Pool = 12; // batches drawn and sorted together
    private readonly ConcurrentDictionary<long, Lazy<MiniSample[][]>> _pools = [];

    // Questions whose answers examples help with, about sounds of one window: of each type, the texts by their answer.
    private readonly TrainingText[][][] _answers = [.. texts.All().Select(Open).Where(t => t.Type is "sound_class" or "instrument" or "instrument_family" or "language")
        .Where(t => windowsOf(t.Id) == 1)
        .GroupBy(t => t.Type).Select(type => type.GroupBy(t => t.Answer).Select(g => g.ToArray()).ToArray())];

    /// <summary>The batch of a number.</summary>
    public IReadOnlyList<MiniSample> Batch(long index)
    {
        long pool = index / Pool;
        foreach (long old in _pools.Keys.Where(k => k < pool - 1))
            _pools.TryRemove(old, out _);
        return _pools.GetOrAdd(pool, p => new(() => DrawPool(p))).Value[index % Pool];
    }

    private MiniSample[][] DrawPool(long pool)
    {
        var samples = new List<MiniSample>();
        for (int i = 0; samples.Count < Pool * batchSize; i++)
        {
            if (Draw(pool, i) is { } sample)
                samples.Add(sample);
        }
        var batches = samples.OrderBy(s => s.Sounds.Count).ThenBy(s => s.Text.Whole.Count).Chunk(batchSize).ToArray();
        SplitMix.At(seed, pool).Shuffle(batches);
        return batches;
    }

    private MiniSample? Draw(long pool, int index)
    {
        var random = SplitMix.For("mini", (ulong)(seed ^ (pool << 24) ^ index));
        double kind = random.NextDouble();
        if ((kind -= mixture.Compositions) < 0)
            return Composition($"new:{pool}:{index}", ref random);
        if ((kind -= mixture.Textures) < 0 && textures.Draw(ref random) is { } texture)
            return batcher.Tokenize(texts.DrawAbout(texture.StandsFor, ref random)) is { } said ? new MiniSample(said, [new HeardSound(said.Source, texture.Parts, IsTexture: true)]) : null;
        if ((kind -= mixture.Dialogues) < 0)
            return Dialogue(ref random);
        if ((kind -= mixture.Shots) < 0 && _answers.Length > 0)
            return WithShots(ref random);
        return Single(texts.DrawAny(ref random), null, ref random);
    }

    private MiniSample? Single(TrainingText text, IReadOnlyList<PlacedSound>? parts, ref SplitMix random)
    {
        bool drowned = text.Type != "presence" && text.Choices.Count > 0 && random.NextDouble() < mixture.Drowned;
        return batcher.Tokenize(text) is { } tokens ? new MiniSample(tokens, [new HeardSound(text, parts, drowned)]) : null;
    }

    private MiniSample? Composition(string id, ref SplitMix random)
    {
        if (compositions.Draw(id, ref random) is not { } made)
            return null;
        return Single(texts.DrawAbout(made.Sound, made.Questions, ref random), made.Parts, ref random);
    }

    private MiniSample? Dialogue(ref SplitMix random)
    {
        var first = texts.DrawAny(ref random);
        for (int attempt = 0; attempt < 4 && !TrainingTexts.NamesWhatIsHeard(first); attempt++) // mostly one that can be followed up
            first = texts.DrawAny(ref random);
        var rounds = new List<TrainingText> { Open(first) };
        int wanted = random.NextDouble() < 0.7 ? 2 : 3;
        // Often one asks, now or later, whether that is so and whether something else is: what was said decides both.
        if (random.NextDouble() < mixture.Confirmed && texts.AskWhetherSo(first, so: true, ref random) is { } so && texts.AskWhetherSo(first, so: false, ref random) is { } other)
        {
            rounds.AddRange(random.NextDouble() < 0.5 ? [Open(so), Open(other)] : [Open(other), Open(so)]);
            wanted++;
        }
        for (int attempt = 0; attempt < 6 && rounds.Count < wanted; attempt++)
        {
            var asked = random.NextDouble() < 0.4 ? texts.AskPresence(first.Id, ref random) : null;
            var next = Open(asked ?? texts.DrawAbout(first.Id, ref random));
            if (rounds.All(r => r.Prompt != next.Prompt))
                rounds.Insert(1 + random.Next(rounds.Count), next);
        }
        bool capital = random.NextDouble() < 0.5; // people write as they like
        return batcher.TokenizeDialogue([.. rounds.Select(r => capital ? r with { Prompt = char.ToUpperInvariant(r.Prompt[0]) + r.Prompt[1..] } : r)]) is { } tokens
            ? new MiniSample(tokens, [new HeardSound(first, Drowned: random.NextDouble() < mixture.DrownedDialogues)])
            : null;
    }

    // As nearest neighbours would be: about half the examples are of the kind that is asked about.
    private MiniSample? WithShots(ref SplitMix random)
    {
        var type = _answers[random.Next(_answers.Length)];
        var asked = type[random.Next(type.Length)];
        var question = asked[random.Next(asked.Length)];
        bool otherNames = random.NextDouble() < mixture.OtherNames;
        var shots = new List<TrainingText>();
        for (int n = 1 + random.Next(MostShots), attempt = 0; shots.Count < n && attempt < 4 * MostShots; attempt++)
        {
            var answers = random.NextDouble() < 0.5 || (otherNames && attempt == 0) ? asked : type[random.Next(type.Length)];
            var shot = answers[random.Next(answers.Length)];
            if (shot.Id != question.Id && shots.All(s => s.Id != shot.Id))
                shots.Add(shot with { Prompt = question.Prompt });
        }
        if (otherNames)
        {
            if (shots.All(s => s.Answer != question.Answer))
                return null; // nothing could tell the answer
            (shots, question) = Rename(shots, question, ref random);
        }
        random.Shuffle(CollectionsMarshal.AsSpan(shots));
        return shots.Count > 0 && batcher.TokenizeShots(shots, question) is { } tokens
            ? new MiniSample(tokens, [.. shots.Append(question).Select(t => new HeardSound(t))])
            : null;
    }

    private (List<TrainingText> Shots, TrainingText Question) Rename(List<TrainingText> shots, TrainingText question, ref SplitMix random)
    {
        string[] own = [.. shots.Select(s => s.Answer).Append(question.Answer).Distinct()], others = [.. _answers.SelectMany(type => type).Select(a => a[0].Answer).Distinct()];
        random.Shuffle<string>(others);
        var names = own.Zip(others).ToDictionary(n => n.First, n => n.Second); // there are at least as many: the own are among them
        return ([.. shots.Select(s => s with { Answer = names[s.Answer] })], question with { Answer = names[question.Answer] });
    }

    // As one asks in a dialogue or before examples: without the choices, and without "please answer this question".
    private static TrainingText Open(TrainingText text)
    {
        string prompt = text.Prompt;
        int choices = prompt.IndexOf(TrainingTexts.ChoicesMark, StringComparison.OrdinalIgnoreCase);
        if (choices >= 0)
            prompt = prompt[..choices];
        return text with { Prompt = prompt.Replace(TrainingTexts.AskPrefix, "", StringComparison.Ordinal) };
    }
}
