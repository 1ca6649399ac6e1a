using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training;

/// <summary>How far a sound may be varied without making what is said about it untrue.</summary>
internal enum Variation
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Loudness, spectrum, room and noise; position within the windows.</summary>
    Surroundings,

    /// <summary>Speed and height a little, too.</summary>
    Gentle,

    /// <summary>Everything: nothing that is said depends on time.</summary>
    Strong,
}

/// <summary>A stored sound's place in what was laid out.</summary>
/// <param name="Id">The sound.</param> <param name="First">Its first frame.</param> <param name="End">The frame after its last.</param>
internal readonly record struct LaidPart(string Id, int First, int End);

/// <summary>Sounds laid out on whole windows.</summary>
/// <param name="Mels">[w, f, m]</param> <param name="Parts">What is heard where, in frames of the whole.</param>
internal sealed record LaidSound(float[] Mels, IReadOnlyList<LaidPart> Parts);

/// <summary>Lays stored sounds out on a spectrogram of whole windows, varied, and cuts the windows.</summary>
/// <remarks>Shapes: w windows, f frames of a window, m mel bands. Neighbouring windows share the frame on their border.</remarks>
internal sealed class MelSheet
{
    private readonly MelStore _mels;
    private readonly int _frames;
    private readonly int _bands;
    private readonly Dictionary<(int Windows, Variation Variation), MelAugmentation> _augmentations = [];

    public MelSheet(MelStore mels, MelAugmentationOptions options)
    {
        (_mels, _frames, _bands) = (mels, mels.Options.Frames, mels.Options.Mel.Mels);
        var still = options with { RollFrames = 0, TimeMasks = (0, 0), WarpChance = 0 };
        for (int windows = 1; windows <= mels.Options.Windows.MaxWindows; windows++)
        {
            int frames = SheetFrames(windows);
            _augmentations[(windows, Variation.Surroundings)] = new(still, frames, _bands);
            _augmentations[(windows, Variation.Gentle)] = new(still with { WarpChance = options.WarpChance, WarpFactor = 1.12, WarpBands = 1 }, frames, _bands);
            _augmentations[(windows, Variation.Strong)] = new(options, frames, _bands);
        }
    }

    /// <summary>Numbers of one window.</summary>
    public int WindowValues => _frames * _bands;

    /// <summary>Lays out one stored sound; its part is the whole.</summary>
    public LaidSound Lay(string id, Variation variation, Random random, bool drowned = false)
    {
        float[] sheet = Read(id);
        return new(Finish(sheet, variation, drowned, random).Cut, [new(id, 0, sheet.Length / _bands)]);
    }

    /// <summary>Puts stored sounds together.</summary>
    /// <param name="parts">The sounds.</param> <param name="variation">Of the whole.</param> <param name="random">Draws the variation.</param>
    /// <param name="drowned">True puts noise over it.</param> <param name="whole">Name of the whole, which is the only part then; null for the parts' own.</param>
    public LaidSound Lay(IReadOnlyList<PlacedSound> parts, Variation variation, Random random, bool drowned = false, string? whole = null)
    {
        var sources = parts.Select(p => p.Id).Distinct().ToDictionary(id => id, Read);
        var lengths = sources.ToDictionary(s => s.Key, s => Math.Max(1, MelAugmentation.Heard(s.Value, _bands)));
        int Length(PlacedSound part) => part.FirstFrames > 0 ? Math.Min(part.FirstFrames, lengths[part.Id]) : lengths[part.Id];
        var levels = new Dictionary<(string Id, int Frames), float>(); // of a texture's events many are the same recording
        int end = parts.Max(p => p.StartFrame + Math.Max(p.LoopFrames, Length(p)));
        int windows = Math.Clamp((end - 2) / (_frames - 1) + 1, 1, _mels.Options.Windows.MaxWindows);
        float[] sheet = new float[SheetFrames(windows) * _bands];
        Array.Fill(sheet, MelAugmentation.Floor);
        foreach (var part in parts)
        {
            float[] source = sources[part.Id];
            int length = Length(part), frames = part.LoopFrames > 0 ? part.LoopFrames : length;
            float level = 0;
            if (part.Levelled && !levels.TryGetValue((part.Id, length), out level))
                levels[(part.Id, length)] = level = MelAugmentation.MeanLevel(source.AsSpan(0, length * _bands));
            float gain = (float)part.Decibels - level;
            for (int t = 0; t < frames && part.StartFrame + t < sheet.Length / _bands; t++)
            {
                var from = source.AsSpan(t % length * _bands, _bands);
                var to = sheet.AsSpan((part.StartFrame + t) * _bands, _bands);
                for (int m = 0; m < _bands; m++)
                    to[m] = from[m] <= MelAugmentation.Floor ? to[m] : MelAugmentation.PowerSum(to[m], from[m] + gain);
            }
        }
        var (cut, shift, speed) = Finish(sheet, variation, drowned, random);
        int Varied(int frame) => (int)Math.Round(Math.Min(frame + shift, sheet.Length / _bands) / speed);
        LaidPart[] laid = [.. parts.Select(p => new LaidPart(p.Id, Varied(p.StartFrame), Varied(p.StartFrame + Math.Max(p.LoopFrames, Length(p)))))];
        return new(cut, whole is null ? laid : [new(whole, laid.Min(p => p.First), laid.Max(p => p.End))]);
    }

    private int SheetFrames(int windows) => windows * (_frames - 1) + 1;

    private float[] Read(string id)
    {
        int windows = _mels.WindowsOf(id);
        float[] sheet = new float[SheetFrames(windows) * _bands];
        for (int w = 0; w < windows; w++)
            _mels.CopyTo(id, w, sheet.AsSpan(w * (_frames - 1) * _bands));
        return sheet;
    }

    private (float[] Cut, int Shift, double Speed) Finish(float[] sheet, Variation variation, bool drowned, Random random)
    {
        int windows = (sheet.Length / _bands - 1) / (_frames - 1), shift = 0;
        double speed = 1;
        if (variation != Variation.None)
        {
            shift = Shift(sheet, random);
            speed = _augmentations[(windows, variation)].Vary(sheet, random);
        }
        if (drowned)
            _augmentations[(windows, Variation.Surroundings)].Drown(sheet, random);
        float[] cut = new float[windows * WindowValues];
        for (int w = 0; w < windows; w++)
            sheet.AsSpan(w * (_frames - 1) * _bands, WindowValues).CopyTo(cut.AsSpan(w * WindowValues));
        return (cut, shift, speed);
    }

    // Half the sounds begin later than at once, where there is room.
    private int Shift(float[] sheet, Random random)
    {
        int room = sheet.Length / _bands - MelAugmentation.Heard(sheet, _bands);
        int by = random.NextDouble() < 0.5 ? 0 : random.Next(room + 1);
        if (by == 0)
            return 0;
        sheet.AsSpan(0, sheet.Length - by * _bands).ToArray().CopyTo(sheet, by * _bands);
        sheet.AsSpan(0, by * _bands).Fill(MelAugmentation.Floor);
        return by;
    }
}
