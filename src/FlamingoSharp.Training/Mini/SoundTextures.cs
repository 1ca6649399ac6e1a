using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training;

/// <summary>A texture that is put together, in place of a recording of the same thing.</summary>
/// <param name="StandsFor">The clip whose texts are true of it.</param> <param name="Parts">Its events.</param>
internal sealed record SoundTexture(string StandsFor, IReadOnlyList<PlacedSound> Parts);

/// <summary>
/// Makes sounds that are many short events from recordings of the events: a roll from strokes of a snare drum, applause from hand claps, typing from
/// keys, people in a room from single voices. Of the events there are dozens of recordings, of the textures one or two.
/// </summary>
internal sealed class SoundTextures
{
    // How often a second, how irregularly (1: at random), how unequally loud, for how long, from how many recordings.
    private static readonly Rule[] s_rules =
    [
        new("snare_roll", "snare", 14, 28, 0.1, 3, 0.8, 4, 1),
        new("applause", "clap_drum", 20, 60, 1, 12, 2, 7, 8),
        new("typing", "key_press", 3, 9, 0.6, 6, 1.5, 6, 4),
        new("tabla", "tabla", 3, 8, 0.1, 6, 2, 8, 4),
        new("clock", "clock", 1, 4, 0, 1, 2, 8, 1),
        new("crowd", Voices, 4, 10, 1, 10, 4, 10, 12),
        new("tavern", Voices, 4, 10, 1, 10, 4, 10, 12),
    ];

    private const string Voices = "";
    private readonly double _frame;
    private readonly (Rule Rule, string[] Wholes, string[] Events)[] _kinds;

    /// <param name="training">What may be used.</param> <param name="frameSeconds">Time between frames.</param>
    public SoundTextures(IReadOnlyList<LabelledSound> training, double frameSeconds)
    {
        _frame = frameSeconds;
        var clips = training.OfType<Clip>().ToLookup(c => c.Concept ?? (c.Domain == "speech" ? Voices : "other"));
        _kinds = [.. s_rules.Select(r => (Rule: r, Wholes: Ids(clips[r.Whole].Where(c => !IsOne(c))), Events: Ids(clips[r.Event]))).Where(k => k.Wholes.Length > 0 && k.Events.Length > 0)];

        static string[] Ids(IEnumerable<Clip> clips) => [.. clips.Select(c => c.Id)];
        static bool IsOne(Clip clip) => clip.Caption.Contains("stroke", StringComparison.Ordinal); // "a tabla stroke" is not said of many
    }

    private sealed record Rule(
        string Whole, string Event, double LeastRate, double MostRate, double Jitter, double Decibels, double LeastSeconds, double MostSeconds, int Recordings);

    /// <summary>Makes one; null if there is nothing to make one of.</summary>
    public SoundTexture? Draw(ref SplitMix random)
    {
        if (_kinds.Length == 0)
            return null;
        var (rule, wholes, events) = _kinds[random.Next(_kinds.Length)];
        string[] used = [.. events];
        random.Shuffle<string>(used);
        used = used[..Math.Min(used.Length, rule.Recordings)];
        double interval = 1 / (rule.LeastRate + random.NextDouble() * (rule.MostRate - rule.LeastRate));
        double seconds = rule.LeastSeconds + random.NextDouble() * (rule.MostSeconds - rule.LeastSeconds);
        List<PlacedSound> parts = [];
        for (double at = 0; at < seconds; at += interval)
        {
            double moved = Math.Max(0, at + rule.Jitter * interval * (2 * random.NextDouble() - 1));
            parts.Add(new(used[random.Next(used.Length)], (int)Math.Round(moved / _frame), -rule.Decibels * random.NextDouble(), Levelled: used.Length > 1));
        }
        return new(wholes[random.Next(wholes.Length)], parts);
    }
}
