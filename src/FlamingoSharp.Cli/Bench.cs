using System.Diagnostics;
using System.Globalization;
using FlamingoSharp.Audio;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;
using FlamingoSharp.Text;
using static TorchSharp.torch;

namespace FlamingoSharp.Cli;

/// <summary>Measures a model folder: the same noise and the same prompt, several times.</summary>
internal sealed class Bench
{
    private const string Word = "sound ";

    public required string Folder { get; init; }

    public required string Device { get; init; }

    public required ScalarType Type { get; init; }

    /// <summary>Windows of sound in each run; null takes as many as the model hears.</summary>
    public int? Windows { get; init; }

    /// <summary>Counted runs; one more goes before them.</summary>
    public required int Runs { get; init; }

    /// <summary>Tokens generated in each run.</summary>
    public required int Tokens { get; init; }

    /// <summary>Length of the prompt, about.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Loads and measures.</summary>
    /// <exception cref="FlamingoException">The model cannot be loaded, or the tokens or windows do not fit it.</exception>
    public BenchLine Run(CancellationToken cancellation)
    {
        var options = new FlamingoLoadOptions { Device = Device, Type = Type, MaxWindows = Windows };
        long start = Stopwatch.GetTimestamp();
        using var flamingo = Flamingo.Load(Folder, options);
        double load = Stopwatch.GetElapsedTime(start).TotalSeconds;

        var noise = Noise(flamingo.Config.Windows);
        var prompt = LongPrompt(flamingo);
        // No stop token: every run has the same length.
        var generation = new GenerationOptions { MaxNewTokens = Tokens, StopTokens = [] };
        var runs = new List<Times>();
        for (int i = 0; i <= Runs; i++)
        {
            var times = Once(flamingo, noise, prompt, generation, cancellation);
            if (i > 0)
                runs.Add(times);
        }
        return new BenchLine
        {
            Model = flamingo.Config.Name,
            Device = Device,
            Dtype = ModelOptions.NameOf(Type),
            Threads = get_num_threads(),
            Runs = Runs,
            LoadSeconds = Math.Round(load, 3),
            EncoderMsPerWindow = Median(runs, r => r.EncoderMs),
            Windows = flamingo.Config.Windows.MaxWindows,
            PromptTokens = runs[0].PromptTokens,
            PrefillTokensPerSecond = Median(runs, r => r.Prefill),
            GeneratedTokens = runs[0].Generated,
            DecodeTokensPerSecond = Median(runs, r => r.Decode),
            TimeToFirstTokenMs = Median(runs, r => r.FirstMs),
            SoundSeconds = Math.Round(noise.SecondsUsed, 2),
            PeakRssMb = Math.Round(PeakBytes() / 1e6, 1),
        };
    }

    private static Times Once(Flamingo flamingo, Recording noise, Prompt prompt, GenerationOptions generation, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        using var sound = flamingo.Hear(noise, cancellation: cancellation);
        double encoder = Stopwatch.GetElapsedTime(start).TotalMilliseconds / sound.Windows;
        flamingo.Answer([new Question(prompt, sound)], generation with { MaxNewTokens = 1 }, cancellation);
        double first = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        var answer = flamingo.Answer([new Question(prompt, sound)], generation, cancellation)[0];
        return new Times(encoder, answer.PromptTokens, answer.PromptTokens / answer.Timing.Prefill.TotalSeconds,
            answer.Candidates[0].Tokens, answer.Timing.DecodeTokensPerSecond, first);
    }

    private static Recording Noise(WindowOptions windows)
    {
        var random = new Random(1);
        float[] samples = new float[(int)(windows.MaxSeconds * windows.SampleRate)];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = (float)((random.NextDouble() * 2) - 1);
        return Recording.FromSamples(samples, windows.SampleRate, windows.SampleRate, "noise");
    }

    private Prompt LongPrompt(Flamingo flamingo)
    {
        Prompt Of(int words) => flamingo.Config.Prompts.Ask(TaskPrompts.Question($"what {string.Concat(Enumerable.Repeat(Word, words))}is this?"));
        int bare = Of(0).Encode(flamingo.Tokenizer).Count;
        int each = (Of(64).Encode(flamingo.Tokenizer).Count - bare) / 64;
        var prompt = Of(Math.Max(0, (PromptTokens - bare) / Math.Max(1, each)));
        int context = flamingo.Config.Language.MaxPositions;
        int length = prompt.Encode(flamingo.Tokenizer).Count;
        return length + Tokens <= context ? prompt : throw new FlamingoException(FlamingoErrorKind.Usage,
            $"A prompt of {length} tokens and {Tokens} more do not fit this model's context of {context}. Lower --prompt-tokens or --tokens.");
    }

    private static double Median(List<Times> runs, Func<Times, double> value)
    {
        double[] sorted = [.. runs.Select(value).Order()];
        double median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
        return Math.Round(median, 3);
    }

    private static long PeakBytes()
    {
        const string Status = "/proc/self/status";
        string? line = File.Exists(Status) ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        if (line is not null)
            return long.Parse(line.Split(' ', '\t', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    private readonly record struct Times(double EncoderMs, int PromptTokens, double Prefill, int Generated, double Decode, double FirstMs);
}
