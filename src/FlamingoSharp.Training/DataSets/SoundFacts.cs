using System.Security.Cryptography;
using FlamingoSharp.Audio;
using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.DataSets;

/// <summary>A stretch of a sound file.</summary>
/// <param name="Path">The file.</param>
/// <param name="Start">Where it begins, in seconds.</param>
/// <param name="Duration">How long it is, in seconds; null reaches to the end.</param>
internal readonly record struct Stretch(string Path, double Start = 0, double? Duration = null);

/// <summary>What can be said of a stretch of a sound file without listening.</summary>
internal sealed record SoundFacts(Stretch Stretch)
{
    // What is compared of a sound: models hear no more of most.
    private const double HeardSeconds = 30, ComparedSeconds = 4;

    private static readonly Lazy<LogMel> s_mel = new(() =>
    {
        NativeRuntime.EnsureLoaded();
        return new LogMel(new MelOptions { SampleRate = Rate, FftSize = 1024, Hop = 512, Mels = 64, MinimumHz = 50, MaximumHz = 7600, Floor = 1e-7 });
    });

    private const int Rate = 16000;

    /// <summary>Why it cannot be read; null where it can.</summary>
    public string? Error { get; init; }

    /// <summary>SHA-256 of the whole file's content, in hexadecimal digits; empty where it cannot be read.</summary>
    public string Hash { get; init; } = "";

    /// <summary>Length of the stretch, in seconds; what lies beyond 30 s of it is not looked at.</summary>
    public double Seconds { get; init; }

    /// <summary>True where every sample is 0: mostly stereo files whose first channel is empty.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Log-mel spectrogram of the beginning less its mean, of length 1; null where none was asked for or the sound is silent.</summary>
    public float[]? Print { get; init; }

    /// <summary>Its mean over time less the mean over bands, of length 1: tells most pairs apart at once.</summary>
    public float[]? CoarsePrint { get; init; }

    /// <summary>Reads a stretch.</summary>
    /// <param name="stretch">Which.</param>
    /// <param name="withPrint">Whether likeness to other sounds is going to be asked for.</param>
    /// <param name="cancellation">Stops the reading.</param>
    public static SoundFacts Of(Stretch stretch, bool withPrint, CancellationToken cancellation)
    {
        try
        {
            double seconds = Math.Min(stretch.Duration ?? HeardSeconds, HeardSeconds);
            var sound = SoundFile.Load(stretch.Path, new() { SampleRate = Rate, StartSeconds = stretch.Start, DurationSeconds = seconds }, cancellation);
            using var file = File.OpenRead(stretch.Path);
            var facts = new SoundFacts(stretch)
            {
                Hash = Convert.ToHexStringLower(SHA256.HashData(file)),
                Seconds = Math.Min(sound.FileSeconds - stretch.Start, stretch.Duration ?? double.MaxValue),
                IsSilent = !sound.Samples.AsSpan().ContainsAnyExcept(0.0),
            };
            return withPrint && !facts.IsSilent ? facts.WithPrint(sound.Samples) : facts;
        }
        catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
        {
            return new SoundFacts(stretch) { Error = e.Message };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new SoundFacts(stretch) { Error = $"'{stretch.Path}' cannot be read: {e.Message}" };
        }
    }

    /// <summary>Reads many stretches side by side; the results are in the order of the stretches.</summary>
    /// <param name="stretches">Which.</param> <param name="withPrint">As for one.</param>
    /// <param name="progress">Told the share that is done.</param> <param name="cancellation">Stops the reading.</param>
    public static SoundFacts[] Of(IReadOnlyList<Stretch> stretches, bool withPrint, Action<double>? progress, CancellationToken cancellation)
    {
        var facts = new SoundFacts[stretches.Count];
        int done = 0;
        var bounds = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellation };
        Parallel.For(0, facts.Length, bounds, i =>
        {
            facts[i] = Of(stretches[i], withPrint, cancellation);
            progress?.Invoke((double)Interlocked.Increment(ref done) / facts.Length);
        });
        return facts;
    }

    private SoundFacts WithPrint(double[] samples)
    {
        int count = Math.Min(samples.Length, (int)(ComparedSeconds * Rate));
        float[] compared = new float[Math.Max(count, s_mel.Value.Options.FftSize)]; // a click is padded to one transform
        for (int i = 0; i < count; i++)
            compared[i] = (float)samples[i];
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var mel = s_mel.Value.Compute(tensor(compared).unsqueeze(0)).squeeze(0); // [f, m]
        var coarse = mel.mean([0]);                                              // [m]
        return this with { Print = Centred(mel.flatten()), CoarsePrint = Centred(coarse) };
    }

    private static float[] Centred(Tensor values)
    {
        using var scope = NewDisposeScope();
        var centred = values - values.mean();
        float norm = centred.norm().item<float>();
        float[] result = centred.contiguous().data<float>().ToArray();
        for (int i = 0; i < result.Length && norm > 0; i++)
            result[i] /= norm;
        return result;
    }
}
