using System.Globalization;
using System.Text.RegularExpressions;
using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Weights;
using Xunit;

namespace FlamingoSharp.TestKit;

/// <summary>Builds the model that cases of the kind laion-clap describe.</summary>
internal static partial class ReferenceClap
{
    /// <summary>The case's synthetic weights under the names of a model of ours.</summary>
    public static IWeightSource OpenWeights(ReferenceCase reference)
    {
        string rule = (string)reference.Json["weight_name_rule"]!;
        string prefix = Prefix().Match(rule) is { Success: true } match ? match.Groups["prefix"].Value : throw new InvalidDataException($"unknown rule: {rule}");
        return new RenamedSource(reference.OpenWeights(prefix: prefix), NameMap.Clap);
    }

    /// <summary>The configuration of a case. What it does not say of the sizes is in the shapes of its weights.</summary>
    public static ClapConfig Config(ReferenceCase reference, IWeightSource weights)
    {
        var config = reference.Json["config"]!;
        var audio = config["audio"]!;
        Assert.Equal("HTSAT", (string?)audio["model_type"]);
        Assert.StartsWith("aff_2d", (string?)config["fusion"]);
        Assert.StartsWith("torchaudio, htk, norm None", (string?)config["mel"]);
        var text = TextOf().Match((string)config["text"]!);
        var projection = ProjectionOf().Match((string)config["projection"]!);
        Assert.True(text.Success && projection.Success, $"unknown texts: {config["text"]} / {config["projection"]}");
        int Number(Match match, string name) => int.Parse(match.Groups[name].Value, CultureInfo.InvariantCulture);
        int rate = (int)audio["sample_rate"]!;
        var bias = weights.Weights.Where(w => w.Key.EndsWith(".blocks.0.attn.relative_position_bias_table", StringComparison.Ordinal)).ToList();
        var known = ClapConfig.Laion with
        {
            Audio = HtsatOptions.LaionClap with
            {
                SampleRate = rate,
                WindowSeconds = ((int)audio["clip_samples"]! + 0.5) / rate, // half a sample guards the truncation
                Mel = new MelOptions
                {
                    SampleRate = rate,
                    FftSize = (int)audio["window_size"]!,
                    Hop = (int)audio["hop_size"]!,
                    Mels = (int)audio["mel_bins"]!,
                    MinimumHz = (double)audio["fmin"]!,
                    MaximumHz = (double)audio["fmax"]!,
                    Scale = MelScale.Htk,
                },
                Heads = [.. bias.Select(b => (int)b.Value.Shape[1])],
                Classes = (int)audio["class_num"]!,
            },
            Text = new TextTowerOptions
            {
                Layers = Number(text, "layers"),
                Width = Number(text, "width"),
                Heads = Number(text, "heads"),
                FeedForward = Number(text, "inner"),
                VocabularySize = Number(text, "vocab"),
                Positions = Number(text, "positions"),
                NormEpsilon = double.Parse(text.Groups["eps"].Value, CultureInfo.InvariantCulture),
                MaxTokens = Number(text, "tokens"),
            },
            Dimensions = Number(projection, "to"),
        };
        Assert.Equal(Number(projection, "from"), known.Audio.LatentDim);
        return known.Audio.WindowSamples == HtsatOptions.LaionClap.WindowSamples
            ? known with { Audio = known.Audio with { WindowSeconds = HtsatOptions.LaionClap.WindowSeconds } } // the same, without the guard
            : known;
    }

    [GeneratedRegex("""prefixed with '(?<prefix>[^']+)'""")]
    private static partial Regex Prefix();

    [GeneratedRegex("""^Linear\((?<from>\d+),(?<to>\d+)\) ReLU Linear\(\d+,\d+\), then L2 normalise$""")]
    private static partial Regex ProjectionOf();

    [GeneratedRegex("""\((?<layers>\d+) layers, (?<width>\d+), (?<heads>\d+) heads, (?<inner>\d+), vocab (?<vocab>\d+), positions (?<positions>\d+), eps (?<eps>[\d.e-]+)\), pooler output -> Linear\(\d+,\d+\) ReLU Linear\(\d+,\d+\) -> L2 normalise; (?<tokens>\d+) tokens max""")]
    private static partial Regex TextOf();
}
