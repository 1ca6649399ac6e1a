using System.Collections.Concurrent;
using System.Text.Json;
using FlamingoSharp.Audio;
using FlamingoSharp.Training.Journals;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>The statistics of one sound in their file, a line each.</summary>
/// <param name="Path">The file.</param> <param name="Start">Seconds skipped.</param> <param name="Duration">Seconds used; null for all.</param>
/// <param name="Bytes">Size of the file, so that another file of the same name is noticed.</param> <param name="Values">The statistics; none of a sound that cannot be read.</param>
internal sealed record StatisticsRecord(string Path, double Start, double? Duration, long Bytes, float[] Values);

/// <summary>
/// What a sound is like on average: mean and deviation over time of each band of a 64-band log-mel spectrogram, and the deviation of its changes
/// from frame to frame. A baseline that anything trained should beat.
/// </summary>
internal sealed class SoundStatistics : IDisposable
{
    private const double MostSeconds = 30;

    private readonly Dictionary<HeardPart, float[]> _known = [];
    private readonly LineJournal _journal;
    private readonly LogMel _mel = new(new MelOptions());

    /// <summary>Opens the file of statistics, or makes it.</summary>
    /// <exception cref="FlamingoException">It cannot be written.</exception>
    public SoundStatistics(string path)
    {
        _journal = LineJournal.Open(path);
        long good = 0;
        foreach (byte[] line in _journal.Lines())
        {
            if (LineJournal.Parse(line, EvaluationJson.Lines.StatisticsRecord) is not { Path: not null, Values: not null } record)
                break;
            if (File.Exists(record.Path) && new FileInfo(record.Path).Length == record.Bytes)
                _known[new(record.Path, record.Start, record.Duration)] = record.Values;
            good += line.Length + 1;
        }
        _journal.GoOnAfter(good);
    }

    /// <summary>The statistics of sounds, 3 times 64 numbers each; those that cannot be read are left out.</summary>
    /// <param name="sounds">Which.</param> <param name="progress">Told how many of how many are done.</param> <param name="cancellation">Stops; what is done is kept.</param>
    public IReadOnlyDictionary<HeardPart, float[]> Of(IReadOnlyCollection<HeardPart> sounds, Action<int, int>? progress, CancellationToken cancellation)
    {
        var missing = sounds.Where(s => !_known.ContainsKey(s)).Distinct().ToList();
        int done = 0;
        foreach (var block in missing.Chunk(64))
        {
            var made = new ConcurrentDictionary<HeardPart, float[]>();
            Parallel.ForEach(block, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount },
                part => made[part] = Compute(part, cancellation));
            _journal.Add(made.Where(m => File.Exists(m.Key.Path)).Select(m => JsonSerializer.SerializeToUtf8Bytes(
                new StatisticsRecord(m.Key.Path, m.Key.Start, m.Key.Duration, new FileInfo(m.Key.Path).Length, m.Value), EvaluationJson.Lines.StatisticsRecord)));
            foreach (var (part, values) in made)
                _known[part] = values;
            done += block.Length;
            progress?.Invoke(done, missing.Count);
        }
        return sounds.Distinct().Where(s => _known[s].Length > 0).ToDictionary(s => s, s => _known[s]);
    }

    /// <summary>The statistics of samples.</summary>
    /// <param name="samples">Mono, 32 kHz.</param>
    internal float[] Of(double[] samples)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        // A sound shorter than one transform is repeated.
        int least = 2 * _mel.Options.FftSize;
        float[] audio = [.. Enumerable.Range(0, Math.Max(samples.Length, least)).Select(i => (float)samples[i % samples.Length])];
        var mel = _mel.Compute(tensor(audio).unsqueeze(0))[0]; // [f, m]
        var change = mel.slice(0, 1, mel.shape[0], 1) - mel.slice(0, 0, mel.shape[0] - 1, 1);
        return cat([mel.mean([0]), mel.std(0, unbiased: false), change.std(0, unbiased: false)]).data<float>().ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _journal.Dispose();
        _mel.Dispose();
    }

    private float[] Compute(HeardPart part, CancellationToken cancellation)
    {
        try
        {
            var options = new SoundOptions { SampleRate = _mel.Options.SampleRate, StartSeconds = part.Start, DurationSeconds = Math.Min(part.Duration ?? MostSeconds, MostSeconds) };
            return Of(SoundFile.Load(part.Path, options, cancellation).Samples);
        }
        catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
        {
            return [];
        }
    }
}

/// <summary>Sounds sorted by likeness: the distance of their statistics, each brought to the same spread over the training sounds.</summary>
internal sealed class SoundNeighbours
{
    private readonly IReadOnlyDictionary<HeardPart, float[]> _all;
    private readonly float[] _mean, _scale;
    private readonly Dictionary<HeardPart, float[]> _scaled = [];

    /// <param name="all">Statistics of every sound.</param> <param name="training">Those that the spread is measured over; at least one.</param>
    public SoundNeighbours(IReadOnlyDictionary<HeardPart, float[]> all, IReadOnlyCollection<HeardPart> training)
    {
        _all = all;
        float[][] known = [.. training.Where(all.ContainsKey).Select(t => all[t])];
        int width = known[0].Length;
        _mean = [.. Enumerable.Range(0, width).Select(i => (float)known.Average(k => (double)k[i]))];
        _scale = [.. Enumerable.Range(0, width).Select(i => (float)(1 / Math.Max(1e-6, Math.Sqrt(known.Average(k => Math.Pow(k[i] - _mean[i], 2))))))];
    }

    /// <summary>True where a sound's statistics are known.</summary>
    public bool Knows(HeardPart sound) => _all.ContainsKey(sound);

    /// <summary>The distance of two sounds.</summary>
    public float Distance(HeardPart a, HeardPart b)
    {
        float[] first = Scaled(a), second = Scaled(b);
        float sum = 0;
        for (int i = 0; i < first.Length; i++)
            sum += (first[i] - second[i]) * (first[i] - second[i]);
        return MathF.Sqrt(sum);
    }

    private float[] Scaled(HeardPart sound)
    {
        if (_scaled.TryGetValue(sound, out float[]? scaled))
            return scaled;
        float[] raw = _all[sound];
        return _scaled[sound] = [.. raw.Select((v, i) => (v - _mean[i]) * _scale[i])];
    }
}
