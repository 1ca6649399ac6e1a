using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FlamingoSharp.Weights;
using Xunit;
using static TorchSharp.torch;

namespace FlamingoSharp.TestKit;

/// <summary>The waveforms that cases of an encoder describe by a recipe.</summary>
internal static partial class ReferenceWaves
{
    // "x[i]=float32(0.25*saw(i*f1/44100)+0.15*saw(i*f2/44100)+0.2*|saw(i*0.61/44100)|*noise[i]) in float64, saw(p)=2*(p-floor(p))-1,
    //  noise=synth(salt+"input/"+name,308700,base 0,amp 1)"; every number of it is read from the text. Another case may say
    //  "as in clapcap-htsat with sr=16000, n=160000".
    /// <summary>One tensor of samples for each item of the case's input.</summary>
    public static IEnumerable<Tensor> Of(ReferenceCase reference)
    {
        var (recipe, rate, all, quantized) = RecipeOf(reference);
        double Number(string name) => ReferenceWaves.Number(recipe, name);
        foreach (var item in reference.Json["input"]!["items"]!.AsArray())
        {
            int samples = (item as JsonObject)?["samples"] is { } own ? (int)own : all;
            float[] wave = new float[samples];
            if (item is JsonObject)
            {
                double f1 = (double)item["f1"]!, f2 = (double)item["f2"]!;
                float[] noise = SyntheticWeights.Values(
                    reference.Set.Salt + "input/" + (string)item["name"]!, samples, Number("base"), Number("amp"));
                for (int i = 0; i < samples; i++)
                {
                    wave[i] = (float)(Number("a1") * Saw(i * f1 / rate) + Number("a2") * Saw(i * f2 / rate)
                        + Number("a3") * Math.Abs(Saw(i * Number("f3") / rate)) * noise[i]);
                    if (quantized)
                        wave[i] = (float)(Math.Truncate(wave[i] * 32767.0) / 32767.0);
                }
            }
            else
            {
                Assert.Equal("all zeros", (string)item!);
            }
            yield return tensor(wave);
        }
    }

    /// <summary>Rate in Hz and samples of one wave.</summary>
    public static (int Rate, int Samples) Shape(ReferenceCase reference) =>
        RecipeOf(reference) is var (_, rate, samples, _) ? (rate, samples) : default;

    private static (Match Recipe, int Rate, int Samples, bool Quantized) RecipeOf(ReferenceCase reference)
    {
        string text = (string)reference.Json["input"]!["recipe"]!;
        if (OtherRecipe().Match(text) is { Success: true } other)
        {
            int samples = other.Groups["samples"].Success ? (int)Number(other, "samples") : 0;
            return (RecipeOf(reference.Set.Case(other.Groups["case"].Value)).Recipe, (int)Number(other, "rate"), samples, other.Groups["quantized"].Success);
        }
        var recipe = Recipe().Match(text);
        Assert.True(recipe.Success, $"unknown recipe: {text}");
        return (recipe, (int)Number(recipe, "rate"), (int)Number(recipe, "samples"), false);
    }

    private static double Number(Match recipe, string name) => double.Parse(recipe.Groups[name].Value, CultureInfo.InvariantCulture);

    private static double Saw(double p) => 2 * (p - Math.Floor(p)) - 1;

    [GeneratedRegex("""float32\((?<a1>[\d.]+)\*saw\(i\*f1/(?<rate>[\d.]+)\)\+(?<a2>[\d.]+)\*saw\(i\*f2/[\d.]+\)\+(?<a3>[\d.]+)\*\|saw\(i\*(?<f3>[\d.]+)/[\d.]+\)\|\*noise.*synth\(salt\+"input/"\+name,(?<samples>\d+),base (?<base>[-\d.e]+),amp (?<amp>[-\d.e]+)\)""")]
    private static partial Regex Recipe();

    [GeneratedRegex(@"^as in (?<case>[\w-]+) with sr=(?<rate>\d+)(, n=(?<samples>\d+))?(?<quantized>, then int16 quantised \(trunc\(x\*32767\)/32767\))?$")]
    private static partial Regex OtherRecipe();
}
