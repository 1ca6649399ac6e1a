using FlamingoSharp.Encoders;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>What an encoder says of sounds, computed once for all questions about them.</summary>
/// <remarks>Shapes: b texts, w windows of a sound, h vectors a window, c their width.</remarks>
internal sealed class EncodingCache
{
    private readonly Dictionary<string, float[]> _encodings = []; // w*h*c numbers of each sound
    private readonly HtsatOptions _encoder;

    private EncodingCache(HtsatOptions encoder) => _encoder = encoder;

    private int WindowValues => _encoder.OutputTokens * _encoder.OutputDim;

    /// <summary>Encodes sounds.</summary>
    /// <param name="encoder">In evaluation mode.</param> <param name="mels">Spectrograms.</param> <param name="sounds">Their ids.</param>
    /// <param name="cancellation">Stops between batches.</param>
    public static EncodingCache Compute(Htsat encoder, MelStore mels, IEnumerable<string> sounds, CancellationToken cancellation)
    {
        using var quiet = no_grad();
        var cache = new EncodingCache(encoder.Options);
        int size = mels.Options.WindowValues;
        // Several sounds share a pass of the encoder: most have one window.
        foreach (string[] ids in sounds.Chunk(24))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var parts = ids.SelectMany(id => Enumerable.Range(0, mels.WindowsOf(id)).Select(w => (id, w))).ToList();
            float[] values = new float[parts.Count * size];
            for (int i = 0; i < parts.Count; i++)
                mels.CopyTo(parts[i].id, parts[i].w, values.AsSpan(i * size));
            var logMel = tensor(values, [parts.Count, mels.Options.Frames, mels.Options.Mel.Mels]);
            float[] encoded = encoder.ForwardLogMel(logMel).contiguous().data<float>().ToArray(); // [w of all, h, c]
            int at = 0;
            foreach (string id in ids)
            {
                int length = mels.WindowsOf(id) * cache.WindowValues;
                cache._encodings[id] = encoded.AsSpan(at, length).ToArray();
                at += length;
            }
        }
        return cache;
    }

    /// <summary>Lays sounds out as a model hears them.</summary>
    /// <returns>Encodings [b, w, h, c] and which windows are real [b, w]; the others are zero.</returns>
    public (Tensor Encodings, Tensor Valid) Gather(IReadOnlyList<string> sounds)
    {
        int windows = sounds.Max(id => _encodings[id].Length) / WindowValues;
        float[] values = new float[sounds.Count * windows * WindowValues];
        bool[] valid = new bool[sounds.Count * windows];
        for (int b = 0; b < sounds.Count; b++)
        {
            float[] own = _encodings[sounds[b]];
            own.CopyTo(values, b * windows * WindowValues);
            valid.AsSpan(b * windows, own.Length / WindowValues).Fill(true);
        }
        return (tensor(values, [sounds.Count, windows, _encoder.OutputTokens, _encoder.OutputDim]), tensor(valid, [sounds.Count, windows]));
    }
}
