using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Readers for the lines of the data files, generated at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(Clip))]
[JsonSerializable(typeof(RecipeLine))]
[JsonSerializable(typeof(Question))]
[JsonSerializable(typeof(StoreHeader))]
[JsonSerializable(typeof(StoreLine))]
[JsonSerializable(typeof(SoundStoreSettings))]
[JsonSerializable(typeof(MelStoreOptions))]
internal sealed partial class SoundJson : JsonSerializerContext;

/// <summary>A recipe as it is written: every kind's fields side by side, numbers and lists sharing names.</summary>
internal sealed record RecipeLine : LabelledSound
{
    [JsonRequired]
    public string Kind { get; init; } = "";

    public string? Soundfont { get; init; }

    public JsonElement? Program { get; init; }

    public string? Instrument { get; init; }

    public IReadOnlyList<NoteLine>? Notes { get; init; }

    public string? Voice { get; init; }

    public string? Language { get; init; }

    public string? Text { get; init; }

    public int? SpeedWpm { get; init; }

    public int? Pitch { get; init; }

    public ToneLine? Synth { get; init; }

    public string? Op { get; init; }

    public IReadOnlyList<PartLine>? Parts { get; init; }

    public IReadOnlyList<string>? Concepts { get; init; }

    public IReadOnlyList<string>? OrderOf { get; init; }

    public string? CountOf { get; init; }

    public string? Foreground { get; init; }

    public string? Background { get; init; }

    /// <summary>The recipe that the line means.</summary>
    /// <exception cref="JsonException">The kind is unknown, or a field that the kind needs is missing or out of its range.</exception>
    public Recipe ToRecipe() => Kind switch
    {
        "fluidsynth" => Describe(new MusicRecipe
        {
            Soundfont = Need(Soundfont, "soundfont"),
            Program = ReadProgram(),
            Notes = [.. Need(Notes, "notes").Select(n => n.ToNote())],
            Instrument = Instrument,
        }),
        "espeak-ng" or "flite" => Describe(new SpokenRecipe
        {
            Tool = Kind,
            Voice = Need(Voice, "voice"),
            Text = Need(Text, "text"),
            Language = Need(Language, "language"),
            WordsPerMinute = SpeedWpm,
            Pitch = Pitch,
        }),
        "sox" => Describe(Need(Synth, "synth").ToRecipe()),
        "compose" => Describe(new CompositionRecipe
        {
            Composition = Op switch
            {
                "repeat" => CompositionKind.Repeat,
                "sequence" => CompositionKind.Sequence,
                "mix" => CompositionKind.Mix,
                _ => throw new JsonException($"op is '{Op}', expected repeat, sequence or mix"),
            },
            Heard = [.. (Concepts ?? []).Zip(Phrases())],
            Parts = [.. Need(Parts, "parts").Select(p => p.ToPart())],
        }),
        _ => throw new JsonException($"kind is '{Kind}', expected fluidsynth, espeak-ng, flite, sox or compose"),
    };

    private IReadOnlyList<string> Phrases() => (OrderOf, CountOf, Foreground, Background) switch
    {
        ({ } order, _, _, _) => order,
        (_, { } one, _, _) => [one],
        (_, _, { } front, { } back) => [front, back],
        _ => [],
    };

    private T Describe<T>(T recipe) where T : Recipe => recipe with
    {
        Id = Id,
        Split = Split,
        Domain = Domain,
        Group = Group,
        Caption = Caption,
        Labels = Labels,
        DurationSeconds = DurationSeconds,
    };

    private int? ReadProgram() => Program switch
    {
        { ValueKind: JsonValueKind.Number } p when p.TryGetInt32(out int number) && number is >= 0 and <= 127 => number,
        { ValueKind: JsonValueKind.String } p when p.GetString() == "drum kit (channel 10)" => null,
        _ => throw new JsonException($"program is {Program?.GetRawText() ?? "missing"}, expected 0 to 127 or \"drum kit (channel 10)\""),
    };

    private T Need<T>(T? value, string name) where T : class =>
        value ?? throw new JsonException($"a {Kind} recipe needs the field '{name}'");
}

/// <summary>A note as it is written.</summary>
internal sealed record NoteLine([property: JsonRequired] int Note, [property: JsonRequired] int Velocity,
    [property: JsonRequired] double StartS, [property: JsonRequired] double DurS)
{
    public Note ToNote()
    {
        if (Note is < 0 or > 127 || Velocity is < 1 or > 127 || !(StartS >= 0) || !(DurS > 0))
            throw new JsonException($"note {Note}, velocity {Velocity}, start {StartS} s, length {DurS} s is outside what MIDI can hold");
        return new(Note, Velocity, StartS, DurS);
    }
}

/// <summary>A generated tone as it is written.</summary>
internal sealed record ToneLine
{
    [JsonRequired]
    public string Wave { get; init; } = "";

    public JsonElement? FreqHz { get; init; }

    public double GainDb { get; init; }

    public double FadeS { get; init; }

    public string? Fade { get; init; }

    public IReadOnlyList<double>? Pattern { get; init; }

    public IReadOnlyList<StepLine>? Sequence { get; init; }

    public double? TempoBpm { get; init; }

    public int? Clicks { get; init; }

    public ToneRecipe ToRecipe()
    {
        var (from, to) = FreqHz switch
        {
            { ValueKind: JsonValueKind.Number } f => (f.GetDouble(), f.GetDouble()),
            { ValueKind: JsonValueKind.Array } f when f.GetArrayLength() == 2 => (f[0].GetDouble(), f[1].GetDouble()),
            null or { ValueKind: JsonValueKind.Null } => ((double?)null, (double?)null),
            _ => throw new JsonException($"freq_hz is {FreqHz}, expected a number or two"),
        };
        List<ToneStep> steps = [];
        double? last = null;
        foreach (var step in Sequence ?? [])
        {
            if (step.SilenceS is { } pause)
            {
                steps.Add(new(null, pause, 0));
                continue;
            }
            last = step.SameFreq ? last : step.FreqHz;
            steps.Add(new(last ?? throw new JsonException("a tone of the sequence has no freq_hz"), step.DurS, step.GainDb ?? GainDb));
        }
        return new()
        {
            Wave = Wave,
            FromHertz = from,
            ToHertz = to,
            GainDecibels = GainDb,
            EdgeSeconds = FadeS,
            Fade = Fade,
            Pattern = Pattern ?? [],
            Sequence = steps,
            BeatsPerMinute = TempoBpm,
            Clicks = Clicks,
        };
    }
}

/// <summary>A stretch of a tone sequence as it is written.</summary>
internal sealed record StepLine
{
    public double? FreqHz { get; init; }

    public bool SameFreq { get; init; }

    public double DurS { get; init; }

    public double? SilenceS { get; init; }

    public double? GainDb { get; init; }
}

/// <summary>A part of a composition as it is written.</summary>
internal sealed record PartLine
{
    [JsonRequired]
    public string Ref { get; init; } = "";

    public double StartS { get; init; }

    public double GainDb { get; init; }

    public double? OffsetS { get; init; }

    public double? DurS { get; init; }

    public CompositionPart ToPart() => new()
    {
        Ref = Ref,
        StartSeconds = StartS,
        GainDecibels = GainDb,
        OffsetSeconds = OffsetS,
        DurationSeconds = DurS,
    };
}
