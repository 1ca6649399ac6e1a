using System.Text.Json.Nodes;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.Weights;
using Xunit;

namespace FlamingoSharp.TestKit;

/// <summary>Builds the encoders that cases of the kinds clapcap-htsat and afclap-htsat describe.</summary>
internal static class ReferenceEncoders
{
    /// <summary>The encoder of a case, in eval mode, filled with its synthetic weights.</summary>
    public static Htsat Build(ReferenceCase reference)
    {
        var encoder = new Htsat(Options(reference));
        using (var weights = reference.OpenWeights())
            ModuleWeights.Fill(encoder, weights, "clap.");
        encoder.eval();
        return encoder;
    }

    /// <summary>The options of a case. What the encoder has no option for must be what it does.</summary>
    /// <exception cref="InvalidDataException">The case is of another kind.</exception>
    public static HtsatOptions Options(ReferenceCase reference)
    {
        var config = reference.Json["config"]!;
        var (rate, samples) = ReferenceWaves.Shape(reference);
        var options = reference.Kind switch
        {
            "clapcap-htsat" => ClapCap(config),
            "afclap-htsat" => AfClap(config),
            var other => throw new InvalidDataException($"{reference.Id}: a case of kind {other} has no encoder."),
        };
        options = options with
        {
            SampleRate = rate,
            WindowSeconds = (samples + 0.5) / rate, // half a sample guards the truncation
            ImageSize = (int)config["spec_size"]!,
            EmbedDim = (int)config["embed_dim"]!,
            Depths = [.. config["depths"]!.AsArray().Select(d => (int)d!)],
            Heads = [.. config["heads"]!.AsArray().Select(h => (int)h!)],
            WindowSize = (int)config["window"]!,
        };
        Assert.Equal((int)config["frames"]!, options.Mel.Frames(options.WindowSamples));
        return options;
    }

    private static HtsatOptions ClapCap(JsonNode config)
    {
        Assert.Equal((1e-5, 1e-5), ((double)config["layernorm_eps"]!, (double)config["batchnorm_eps"]!));
        Assert.Equal((1.0, null), ((double)config["ref"]!, (double?)config["top_db"]));
        Assert.Equal((int)config["latent"]!, (int)config["embed_dim"]! << (config["depths"]!.AsArray().Count - 1));
        return new()
        {
            Mel = new MelOptions
            {
                SampleRate = (int)config["sample_rate_for_mel"]!,
                FftSize = (int)config["n_fft"]!,
                Hop = (int)config["hop"]!,
                Mels = (int)config["mel_bins"]!,
                MinimumHz = (double)config["fmin"]!,
                MaximumHz = (double)config["fmax"]!,
                Floor = (double)config["amin"]!,
            },
            PatchSize = (int)config["patch"]!,
            MlpRatio = (double)config["mlp_ratio"]!,
            Classes = (int)config["classes"]!,
            ProjectionDim = (int)config["proj"]!,
        };
    }

    private static HtsatOptions AfClap(JsonNode config)
    {
        var mel = config["mel"]!;
        Assert.Equal(("htk", null, 2), ((string?)mel["scale"], (string?)mel["norm"], (int)mel["power"]!));
        Assert.Equal($"hann periodic {mel["n_fft"]}", (string?)mel["win"]);
        Assert.Equal("10*log10(max(x,1e-10)), no top_db", (string?)mel["db"]);
        Assert.StartsWith("aff_2d", (string?)config["fusion"]);
        Assert.Equal((int)config["D"]!, (int)config["embed_dim"]! << (config["depths"]!.AsArray().Count - 1));
        return HtsatOptions.AfClap with
        {
            Mel = new MelOptions
            {
                SampleRate = (int)mel["sr"]!,
                FftSize = (int)mel["n_fft"]!,
                Hop = (int)mel["hop"]!,
                Mels = (int)mel["n_mels"]!,
                MinimumHz = (double)mel["fmin"]!,
                MaximumHz = (double)mel["fmax"]!,
                Scale = MelScale.Htk,
            },
        };
    }
}
