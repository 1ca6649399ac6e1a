using System.Text.Json;
using System.Text.Json.Serialization;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;

namespace FlamingoSharp.Embeddings;

/// <summary>How a sound shorter than a window is filled up.</summary>
public enum ShortSoundFill
{
    /// <summary>By silence.</summary>
    Silence,

    /// <summary>By as many whole repetitions as fit, then silence (LAION-CLAP's <c>repeatpad</c>).</summary>
    WholeRepeats,

    /// <summary>By repetitions, the last of them cut (Microsoft's CLAP).</summary>
    Repeats,
}

/// <summary>Everything that decides a CLAP model's shape; <c>config.json</c> of its folder. Defaults: LAION-CLAP, 630k-audioset-fusion-best.</summary>
/// <remarks>Source: CLAP (arXiv 2211.06687); Natural Language Supervision for General-Purpose Audio Representations (arXiv 2309.05767) for Microsoft's.</remarks>
public sealed record ClapConfig
{
    /// <summary>What <see cref="Kind"/> says of every model of this form.</summary>
    public const string KindName = "clap";

    /// <summary>LAION-CLAP as Audio Flamingo 1 uses it for retrieval.</summary>
    public static ClapConfig Laion { get; } = new() { Name = "laion-clap" };

    /// <summary>The sound tower of Microsoft's CLAP, the encoder of Audio Flamingo 1; it has no text tower here.</summary>
    public static ClapConfig Microsoft { get; } = new()
    {
        Name = "microsoft-clap",
        Audio = new HtsatOptions(),
        Text = null,
        Dimensions = 1024,
        ShortSounds = ShortSoundFill.Repeats,
    };

    /// <summary>The small one that this library trains: the encoder of flamingo-mini, and two layers that read its tokens.</summary>
    public static ClapConfig Mini { get; } = new()
    {
        Name = "clap-mini",
        Audio = FlamingoConfig.Mini.Encoder,
        Loudest = true,
        Text = new TextTowerOptions
        {
            VocabularySize = 4100,
            Width = 192,
            Layers = 2,
            Heads = 4,
            FeedForward = 768,
            Positions = 66,
            MaxTokens = 64,
            Pooling = TextPooling.Mean,
        },
        LowerCase = true,
        Dimensions = 256,
        ShortSounds = ShortSoundFill.Silence,
    };

    /// <summary>A CLAP model whose sound encoder is that of an Audio Flamingo model, with the small text tower beside it.</summary>
    public static ClapConfig For(FlamingoConfig model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Mini with
        {
            Name = $"clap-of-{model.Name}",
            Audio = model.Encoder,
            ShortSounds = model.Windows.RepeatShort ? ShortSoundFill.Repeats : ShortSoundFill.Silence,
        };
    }

    /// <summary>Always <see cref="KindName"/>: tells the folder from that of an Audio Flamingo model.</summary>
    public string Kind { get; init; } = KindName;

    /// <summary>Shown to users, and part of what an index remembers of its encoder.</summary>
    public required string Name { get; init; }

    /// <summary>The sound encoder; it also says at which rate and in which windows sounds are heard.</summary>
    public HtsatOptions Audio { get; init; } = HtsatOptions.LaionClap;

    /// <summary>
    /// True keeps, beside the mean of a window's vectors, their maximum: what is heard most clearly at any time counts as much as what is heard
    /// on average.
    /// </summary>
    public bool Loudest { get; init; }

    /// <summary>The text tower; null for a model that embeds sounds alone.</summary>
    public TextTowerOptions? Text { get; init; } = new();

    /// <summary>True if texts are read in lower case, as they were learned.</summary>
    public bool LowerCase { get; init; }

    /// <summary>Dimensions of an embedding.</summary>
    public int Dimensions { get; init; } = 512;

    /// <summary>How a sound shorter than a window is filled up.</summary>
    public ShortSoundFill ShortSounds { get; init; } = ShortSoundFill.WholeRepeats;

    /// <summary>Windows heard of a sound at most; what follows is cut, and said.</summary>
    public int MaxWindows { get; init; } = 30;

    /// <summary>Longest sound that is heard, in seconds.</summary>
    [JsonIgnore]
    public double MaxSeconds => MaxWindows * Audio.WindowSeconds;

    /// <summary>True if a config.json describes a CLAP model.</summary>
    /// <param name="path">An existing file.</param>
    public static bool Describes(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String && kind.GetString() == KindName;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads a config.json.</summary>
    /// <exception cref="FlamingoException">The file is missing, describes another kind of model, or its sizes do not fit each other.</exception>
    public static ClapConfig Load(string path)
    {
        if (File.Exists(path) && !Describes(path))
            throw new FlamingoException(FlamingoErrorKind.Model, $"'{path}' is not the configuration of a CLAP model (\"kind\": \"{KindName}\"). Name the folder of one; 'flamingo train clap' makes one.");
        var config = ConfigJson.Load(path, ClapConfigJson.Default.ClapConfig, "the configuration of a CLAP model");
        config.Validate();
        return config;
    }

    /// <summary>The text of config.json.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ClapConfigJson.Default.ClapConfig);

    /// <summary>Checks that the parts fit each other.</summary>
    /// <exception cref="FlamingoException">They do not.</exception>
    public void Validate()
    {
        Audio.Validate();
        Text?.Validate();
        Require(MaxWindows > 0, $"max_windows is {MaxWindows}; a sound has 1 or more");
        Require(Text is not null || Dimensions == Audio.OutputDim,
            $"without a text tower an embedding is the encoder's vector of {Audio.OutputDim} numbers, not of {Dimensions}");
        Require(Text is not null || !Loudest, "only a model with a text tower can keep the maximum beside the mean, because its projection joins them");
    }

    /// <summary>Makes the towers on the meta device: shapes without data.</summary>
    internal ClapTowers Build()
    {
        Validate();
        return new ClapTowers(Audio, Loudest, Text, Dimensions);
    }

    private static void Require(bool condition, string problem)
    {
        if (!condition)
            throw new FlamingoException(FlamingoErrorKind.Model, $"The configuration of the CLAP model does not fit together: {problem}.");
    }
}

/// <summary>Source-generated JSON of the configuration.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    IgnoreReadOnlyProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ClapConfig))]
internal sealed partial class ClapConfigJson : JsonSerializerContext;
