using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>A micro-batch of texts and what they hear, on the CPU.</summary>
/// <param name="Ids">[b, t], padded on the right.</param> <param name="Attend">[b, t], false for padding.</param>
/// <param name="Labels">[b, t], see <see cref="Data.LabelMask"/>.</param>
/// <param name="Rows">[r, ...] distinct windows: encodings [r, h, c], or spectrograms [r, f, m] of an encoder that learns.</param>
/// <param name="Source">[b*w], which row each window of each text is; one past the last for filling that nothing sees.</param>
/// <param name="Valid">[b, w], false for filling.</param>
internal sealed record LanguageBatch(Tensor Ids, Tensor Attend, Tensor Labels, Tensor Rows, Tensor Source, Tensor Valid) : ITrainingBatch
{
    /// <inheritdoc/>
    public int Samples => (int)Ids.shape[0];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { Ids, Attend, Labels, Rows, Source, Valid })
            tensor.Dispose();
    }
}

/// <summary>Lays sounds of a batch out as a model hears them: each window once, and where it stands.</summary>
/// <remarks>Shapes as in <see cref="LanguageBatch"/>.</remarks>
internal static class SoundLayout
{
    /// <summary>Lays them out.</summary>
    /// <param name="sounds">Those of each text, in its order.</param>
    /// <param name="slots">Sounds of a text, with those that fill it up; null where texts are not filled up.</param>
    /// <param name="slotWindows">Windows of a slot.</param> <param name="silence">A window that fills up.</param>
    public static (Tensor Rows, Tensor Source, Tensor Valid) Of(
        IReadOnlyList<IReadOnlyList<SoundFeatures>> sounds, int? slots, int slotWindows, SoundFeatures silence)
    {
        int width = slots * slotWindows ?? sounds.Max(s => s.Sum(f => f.Windows));
        long[] source = new long[sounds.Count * width];
        bool[] valid = new bool[source.Length];
        var rows = new List<(SoundFeatures Sound, int Window)> { (silence, 0) };
        var known = new Dictionary<SoundFeatures, int>(ReferenceEqualityComparer.Instance);
        for (int text = 0; text < sounds.Count; text++)
        {
            int at = text * width;
            for (int i = 0; i < sounds[text].Count; i++)
            {
                var sound = sounds[text][i];
                if (!known.TryGetValue(sound, out int first))
                {
                    known[sound] = first = rows.Count;
                    rows.AddRange(Enumerable.Range(0, sound.Windows).Select(w => (sound, w)));
                }
                for (int w = 0; w < sound.Windows; w++)
                    (source[at + w], valid[at + w]) = (first + w, true);
                at += slots is null ? sound.Windows : slotWindows;
            }
        }
        if (slots is null)
        {
            // Nothing sees what fills the shorter rows; silence need not be encoded for it.
            rows.RemoveAt(0);
            for (int i = 0; i < source.Length; i++)
                source[i] = valid[i] ? source[i] - 1 : rows.Count;
        }
        int size = silence.WindowSize;
        float[] values = new float[rows.Count * size];
        for (int r = 0; r < rows.Count; r++)
            rows[r].Sound.Values.AsSpan(rows[r].Window * size, size).CopyTo(values.AsSpan(r * size));
        return (tensor(values, [rows.Count, .. silence.Shape[1..]]), tensor(source), tensor(valid, [sounds.Count, width]));
    }
}
