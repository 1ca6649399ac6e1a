using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Encoders;

[Trait("Category", "Reference")]
public partial class HtsatReferenceTests
{
    public static TheoryData<string> Cases => ReferenceSet.Cases("clapcap-htsat");

    [Theory, NoTensorLeak, MemberData(nameof(Cases))]
    public void Every_stage_of_ClapCap_equals_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = reference.OpenExpected();
        var options = OptionsOf(reference);
        using var encoder = new Htsat(options);
        using (var weights = reference.OpenWeights())
            ModuleWeights.Fill(encoder, weights, "clap.");
        encoder.eval();

        var waves = stack([.. Waves(reference)]);
        TensorAssert.Close(golden.Read("waves_first16"), waves.narrow(1, 0, 16), 0, "waves_first16");

        var stages = reference.Json["stages"]!.AsObject();
        var seen = new HashSet<string>();
        var result = encoder.Encode(waves, (stage, value) =>
        {
            if (stages[stage] is not { } expected)
                return;
            seen.Add(stage);
            Check(golden, stage, value, expected);
        });

        Assert.Equal(stages.Select(s => s.Key).Order(), seen.Order());
        Assert.Equal([waves.shape[0], options.OutputTokens, options.OutputDim], result.shape);
        TensorAssert.Close(golden.Read($"embedding_{options.ProjectionDim}"), result.squeeze(1),
            reference.Tolerance(stages[$"embedding_{options.ProjectionDim}"]));
    }

    [Theory, NoTensorLeak, MemberData(nameof(Cases))]
    public void The_mel_bank_of_ClapCap_equals_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var golden = reference.OpenExpected();
        var mel = OptionsOf(reference).Mel;

        TensorAssert.Close(golden.Read("melW"), tensor(LogMelBank.Weights(mel), mel.FftSize / 2 + 1, mel.Mels), 2e-5);
    }

    private static void Check(SafeTensorsReader golden, string stage, Tensor value, JsonNode expected)
    {
        double tolerance = (double)expected["recommended_atol"]!;
        long count = expected["shape"]!.AsArray().Aggregate(1L, (a, d) => a * (long)d!);
        Assert.Equal(count, value.numel());
        if (golden.Weights.ContainsKey($"{stage}/val"))
            TensorAssert.Sampled(golden, stage, value, tolerance);
        else
            TensorAssert.Close(golden.Read(stage), value, tolerance, stage);

        using var scope = NewDisposeScope();
        var norms = golden.Read($"{stage}/l2_per_item");                            // one an item, or one for all
        var found = value.to_type(ScalarType.Float64).reshape(norms.shape[0], -1).pow(2).sum(1).sqrt();
        TensorAssert.Close(norms, found, tolerance * Math.Sqrt(count / norms.shape[0]), $"{stage}/l2_per_item");
    }

    private static HtsatOptions OptionsOf(ReferenceCase reference)
    {
        var config = reference.Json["config"]!;
        var recipe = RecipeOf(reference);
        var options = OptionsOf(config) with
        {
            SampleRate = (int)Number(recipe, "rate"),
            WindowSeconds = (Number(recipe, "samples") + 0.5) / Number(recipe, "rate"), // half a sample guards the truncation
        };
        // What the encoder has no option for must be what it does.
        Assert.Equal((1e-5, 1e-5), ((double)config["layernorm_eps"]!, (double)config["batchnorm_eps"]!));
        Assert.Equal((1.0, null), ((double)config["ref"]!, (double?)config["top_db"]));
        Assert.Equal((int)config["frames"]!, options.Mel.Frames(options.WindowSamples));
        Assert.Equal((int)config["latent"]!, options.LatentDim);
        return options;
    }

    private static HtsatOptions OptionsOf(JsonNode config) => new()
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
        ImageSize = (int)config["spec_size"]!,
        PatchSize = (int)config["patch"]!,
        EmbedDim = (int)config["embed_dim"]!,
        Depths = [.. config["depths"]!.AsArray().Select(d => (int)d!)],
        Heads = [.. config["heads"]!.AsArray().Select(h => (int)h!)],
        WindowSize = (int)config["window"]!,
        MlpRatio = (double)config["mlp_ratio"]!,
        Classes = (int)config["classes"]!,
        ProjectionDim = (int)config["proj"]!,
    };

    // "x[i]=float32(0.25*saw(i*f1/44100)+0.15*saw(i*f2/44100)+0.2*|saw(i*0.61/44100)|*noise[i]) in float64, saw(p)=2*(p-floor(p))-1,
    //  noise=synth(salt+"input/"+name,308700,base 0,amp 1)"; every number of it is read from the text.
    private static IEnumerable<Tensor> Waves(ReferenceCase reference)
    {
        var input = reference.Json["input"]!;
        var recipe = RecipeOf(reference);
        double a1 = Number(recipe, "a1"), a2 = Number(recipe, "a2"), a3 = Number(recipe, "a3"), f3 = Number(recipe, "f3");
        double rate = Number(recipe, "rate");
        int samples = (int)Number(recipe, "samples");
        foreach (var item in input["items"]!.AsArray())
        {
            float[] wave = new float[samples];
            if (item is JsonObject)
            {
                double f1 = (double)item["f1"]!, f2 = (double)item["f2"]!;
                float[] noise = SyntheticWeights.Values(
                    reference.Set.Salt + "input/" + (string)item["name"]!, samples, Number(recipe, "base"), Number(recipe, "amp"));
                for (int i = 0; i < samples; i++)
                {
                    wave[i] = (float)(a1 * Saw(i * f1 / rate) + a2 * Saw(i * f2 / rate) + a3 * Math.Abs(Saw(i * f3 / rate)) * noise[i]);
                }
            }
            else
            {
                Assert.Equal("all zeros", (string)item!);
            }
            yield return tensor(wave);
        }
    }

    private static Match RecipeOf(ReferenceCase reference)
    {
        string text = (string)reference.Json["input"]!["recipe"]!;
        var recipe = Recipe().Match(text);
        Assert.True(recipe.Success, $"unknown recipe: {text}");
        return recipe;
    }

    private static double Number(Match recipe, string name) => double.Parse(recipe.Groups[name].Value, CultureInfo.InvariantCulture);

    private static double Saw(double p) => 2 * (p - Math.Floor(p)) - 1;

    [GeneratedRegex("""float32\((?<a1>[\d.]+)\*saw\(i\*f1/(?<rate>[\d.]+)\)\+(?<a2>[\d.]+)\*saw\(i\*f2/[\d.]+\)\+(?<a3>[\d.]+)\*\|saw\(i\*(?<f3>[\d.]+)/[\d.]+\)\|\*noise.*synth\(salt\+"input/"\+name,(?<samples>\d+),base (?<base>[-\d.e]+),amp (?<amp>[-\d.e]+)\)""")]
    private static partial Regex Recipe();
}
