using System.Text.Json.Nodes;
using FlamingoSharp.Audio;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Audio;

/// <summary>Golden numbers: kind resample, made by resampy (kaiser_best) and libsoxr (soxr_hq); limits from the vectors' README.</summary>
[Trait("Category", "Reference")]
public sealed class ResampleReferenceTests
{
    private const int Edge = 200;

    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("resample");

    [Theory, NoTensorLeak]
    [MemberData(nameof(Cases))]
    public void Resamples_like_the_reference(string id, string name)
    {
        using var scope = NewDisposeScope();
        var (reference, sub, from, to) = Read(id, name);
        using var golden = reference.OpenExpected();
        using var reader = WaveReader.Open(File.OpenRead(reference.Set.PathOf((string)sub["wav"]!)), name);
        Assert.Equal((from, 1), (reader.SampleRate, reader.Channels));
        double[] signal = new double[reader.CountFrames(default)];
        Assert.Equal(signal.Length, reader.Read(signal));

        double[] resampled = Resampler.Resample(signal, from, to, TestContext.Current.CancellationToken);
        Assert.Equal((int)sub["expected_len"]!, resampled.Length);
        TensorAssert.Close(Values(golden, $"{from}_{to}/kaiser_best"), resampled, 1e-6, "kaiser_best");
        AssertNear(Values(golden, $"{from}_{to}/soxr_hq"), resampled, 2.5e-3, 2e-2, "soxr_hq");
    }

    [Theory, NoTensorLeak]
    [MemberData(nameof(Cases))]
    public void Loads_a_file_of_another_rate_like_the_reference(string id, string name)
    {
        using var scope = NewDisposeScope();
        var (reference, sub, from, to) = Read(id, name);
        using var golden = reference.OpenExpected();
        var recording = SoundFile.Load(
            reference.Set.PathOf((string)sub["wav"]!), new SoundOptions { SampleRate = to }, TestContext.Current.CancellationToken);
        Assert.Equal((from, to), (recording.SourceRate, recording.SampleRate));
        AssertNear(Values(golden, $"{from}_{to}/load_audio_soxr_hq"), recording.Samples, 6e-3, 2.5e-2, "load_audio_soxr_hq");
    }

    private static (ReferenceCase Reference, JsonObject Sub, int From, int To) Read(string id, string name)
    {
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        return (reference, sub, (int)sub["orig_sr"]!, (int)sub["target_sr"]!);
    }

    private static double[] Values(SafeTensorsReader golden, string name) => golden.Read(name, ScalarType.Float64).data<double>().ToArray();

    private static void AssertNear(double[] expected, double[] actual, double rms, double max, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        double[] differences = [.. expected.Zip(actual, (e, a) => Math.Abs(e - a))];
        Assert.InRange(Math.Sqrt(differences.Average(d => d * d)), 0, rms);
        Assert.True(differences[Edge..^Edge].Max() <= max, $"{what}: differs by {differences[Edge..^Edge].Max()}");
    }
}
