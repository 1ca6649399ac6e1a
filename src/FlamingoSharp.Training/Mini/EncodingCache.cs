using FlamingoSharp.Encoders;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>
/// What a frozen encoder says of every training sound, computed once: as it is, and of a few varied copies, so that the language model
/// does not learn the exact vectors of the training sounds by heart.
/// </summary>
/// <remarks>Shapes: w windows of a sound, c audio width. One vector a window.</remarks>
internal sealed class EncodingCache
{
    private readonly Dictionary<string, float[][]> _views = []; // for each sound, views of w*c numbers
    private readonly int _width;

    private EncodingCache(int width) => _width = width;

    /// <summary>The vector of a window of silence, which fills up every shorter sound.</summary>
    public required float[] Silence { get; init; }

    /// <summary>Encodes sounds.</summary>
    /// <param name="encoder">In evaluation mode, one vector a window.</param> <param name="mels">Spectrograms.</param>
    /// <param name="sounds">Their ids, and how many views of each: 1 for the sound as it is.</param>
    /// <param name="augmentation">How the other views are varied.</param> <param name="seed">Of the variations.</param>
    /// <param name="report">Told the share done.</param> <param name="cancellation">Stops between batches.</param>
    public static EncodingCache Compute(
        Htsat encoder, MelStore mels, IReadOnlyList<(string Id, int Views)> sounds, MelAugmentation augmentation, long seed,
        Action<double>? report, CancellationToken cancellation)
    {
        using var quiet = no_grad();
        int frames = mels.Options.Frames, bands = mels.Options.Mel.Mels, size = frames * bands, width = encoder.Options.OutputDim;
        float[] silence = new float[size];
        Array.Fill(silence, MelAugmentation.Floor);
        var cache = new EncodingCache(width) { Silence = Encode(silence, 1) };
        var jobs = sounds.SelectMany(s => Enumerable.Range(0, s.Views).Select(v => (s.Id, View: v))).ToList();
        foreach (var (id, views) in sounds)
            cache._views[id] = new float[views][];

        // Several sounds share a pass of the encoder: most have one window.
        const int Batch = 32;
        float[] values = [];
        int done = 0;
        while (done < jobs.Count)
        {
            cancellation.ThrowIfCancellationRequested();
            int first = done, windows = 0;
            while (done < jobs.Count && (windows == 0 || windows + mels.WindowsOf(jobs[done].Id) <= Batch))
                windows += mels.WindowsOf(jobs[done++].Id);
            if (values.Length < windows * size)
                values = new float[windows * size];
            int at = 0;
            for (int j = first; j < done; j++)
            {
                var random = SplitMix.At(seed, j);
                for (int w = 0; w < mels.WindowsOf(jobs[j].Id); w++)
                {
                    var mel = values.AsSpan(at++ * size, size);
                    var stored = mels.Read(jobs[j].Id, w);
                    for (int i = 0; i < size; i++)
                        mel[i] = (float)stored[i];
                    if (jobs[j].View > 0)
                        augmentation.Vary(mel, random);
                }
            }
            float[] encoded = Encode(values, windows);
            at = 0;
            for (int j = first; j < done; j++)
            {
                int count = mels.WindowsOf(jobs[j].Id);
                cache._views[jobs[j].Id][jobs[j].View] = encoded.AsSpan(at * width, count * width).ToArray();
                at += count;
            }
            report?.Invoke((double)done / jobs.Count);
        }
        return cache;

        float[] Encode(float[] data, int windows)
        {
            using var scope = NewDisposeScope();
            var logMel = tensor(data.AsSpan(0, windows * size).ToArray(), [windows, frames, bands]);
            return encoder.ForwardLogMel(logMel).contiguous().data<float>().ToArray(); // [w, 1, c]
        }
    }

    /// <summary>True if the sound was encoded.</summary>
    public bool Contains(string id) => _views.ContainsKey(id);

    /// <summary>Lays sounds out as a model hears them: each filled up with silence.</summary>
    /// <param name="sounds">Their ids and views (taken modulo the number there are).</param> <param name="windows">Windows a sound.</param>
    /// <returns>Encodings [b, w, 1, c] and which windows are real [b, w].</returns>
    public (Tensor Encodings, Tensor Valid) Gather(IReadOnlyList<(string Id, int View)> sounds, int windows)
    {
        float[] values = new float[sounds.Count * windows * _width];
        bool[] valid = new bool[sounds.Count * windows];
        for (int b = 0; b < sounds.Count; b++)
        {
            float[][] views = _views[sounds[b].Id];
            float[] view = views[sounds[b].View % views.Length];
            int real = Math.Min(windows, view.Length / _width);
            view.AsSpan(0, real * _width).CopyTo(values.AsSpan(b * windows * _width));
            for (int w = real; w < windows; w++)
                Silence.CopyTo(values.AsSpan((b * windows + w) * _width));
            valid.AsSpan(b * windows, real).Fill(true);
        }
        return (tensor(values, [sounds.Count, windows, 1, _width]), tensor(valid, [sounds.Count, windows]));
    }
}
