using System.Text.Json.Nodes;
using FlamingoSharp.Audio;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Audio;

/// <summary>Golden numbers: kind audio-windows, made by the data code of both models.</summary>
[Trait("Category", "Reference")]
public sealed class AudioWindowsReferenceTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("audio-windows");

    [Theory, NoTensorLeak]
    [MemberData(nameof(Cases))]
    public void Hears_exactly_what_the_reference_hears(string id, string name)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        using var golden = reference.OpenExpected();
        var options = Options(reference, sub);
        var sound = SoundOptions.For(options, (double?)sub["audio_start"] ?? 0, (double?)sub["audio_duration"]) with { ReferenceReadLength = true };

        var recording = SoundFile.Load(reference.Set.PathOf((string)sub["wav"]!), sound, TestContext.Current.CancellationToken);
        AssertSignal(sub, recording);
        var windows = AudioWindows.Cut(recording, options);

        int rows = (int)sub["num_windows_tensor"]!, samples = (int)sub["window_samples"]!;
        Assert.Equal((int)sub["valid_windows"]!, windows.Valid);
        var heard = windows.ToTensor(); // [rows, samples]
        Assert.Equal([rows, samples], heard.shape);
        TensorAssert.Close(golden.Read($"{name}/mask"), windows.MaskTensor(), 0, "mask");
        TensorAssert.Close(golden.Read($"{name}/first8"), heard[TensorIndex.Colon, ..8], 0, "first8");
        TensorAssert.Close(golden.Read($"{name}/last8"), heard[TensorIndex.Colon, ^8..], 0, "last8");
        long[] positions = [.. SyntheticWeights.Integers("audio-windows/pos", 64, 0, samples).Select(p => (long)p)];
        TensorAssert.Close(golden.Read($"{name}/sampled64"), heard.index_select(1, tensor(positions)), 0, "sampled64");

        var exact = heard.to_type(ScalarType.Float64);
        AssertSums(golden.Read($"{name}/sum"), exact.sum(dim: 1), exact.abs().sum(dim: 1), "sum");
        AssertSums(golden.Read($"{name}/sumsq"), exact.square().sum(dim: 1), exact.square().sum(dim: 1), "sumsq");
        AssertSums(golden.Read($"{name}/abs_sum"), exact.abs().sum(dim: 1), exact.abs().sum(dim: 1), "abs_sum");
    }

    private static WindowOptions Options(ReferenceCase reference, JsonObject sub)
    {
        switch ((string?)sub["variant"])
        {
            case "af1":
                var config = reference.Json["config_af1"]!;
                return new WindowOptions
                {
                    LengthSeconds = (double)config["window_length"]!,
                    OverlapSeconds = (double)config["window_overlap"]!,
                    MaxWindows = (int)config["max_num_window"]!,
                    Slots = (int)config["max_num_fewshot"]!,
                };
            case "af2":
                return FlamingoConfig.Af2.Windows with { MaxWindows = (int)sub["max_num_window"]! };
            case var other:
                throw new InvalidOperationException($"Unknown variant '{other}'.");
        }
    }

    private static void AssertSignal(JsonObject sub, Recording recording)
    {
        if (sub["loaded_samples"] is { } count)
            Assert.Equal((int)count, recording.Samples.Length);
        // The reference's silence is 0/0 at this point; ours is defined as 0, as its next step makes it.
        if (sub["loaded_first8"] is JsonArray first)
        {
            double[] expected = [.. first.Select(v => v!.GetValueKind() == System.Text.Json.JsonValueKind.String ? 0 : (double)v)];
            TensorAssert.Close(expected, recording.Samples.AsSpan(0, expected.Length), 1e-15, "loaded_first8");
        }
        if (sub["loaded_sum"] is { } sum)
        {
            double magnitude = recording.Samples.Sum(Math.Abs);
            TensorAssert.Close([(double)sum], [recording.Samples.Sum()], 1e-12 * magnitude, "loaded_sum");
        }
    }

    // Relative 1e-9; a sum that cancels is judged by the sum of its magnitudes, at the precision of float64 sums.
    private static void AssertSums(Tensor expected, Tensor actual, Tensor magnitude, string what)
    {
        double[] e = expected.data<double>().ToArray(), a = actual.data<double>().ToArray(), m = magnitude.data<double>().ToArray();
        Assert.Equal(e.Length, a.Length);
        for (int i = 0; i < e.Length; i++)
            TensorAssert.Close([e[i]], [a[i]], Math.Max(1e-9 * Math.Abs(e[i]), 1e-13 * m[i]), $"{what} of window {i}");
    }
}
