using FlamingoSharp.Audio;
using FlamingoSharp.Models;
using static TorchSharp.torch;

namespace FlamingoSharp;

/// <summary>How much of a sound is encoded.</summary>
/// <param name="WindowsDone">Windows encoded so far.</param>
/// <param name="WindowsTotal">Windows of the sound.</param>
public readonly record struct HearingProgress(int WindowsDone, int WindowsTotal);

/// <summary>Encodes sounds, and lays out those of a batch of prompts as the model wants them.</summary>
/// <remarks>Shapes: b prompts, w windows, s samples, h vectors a window, c their width.</remarks>
/// <param name="model">Encodes.</param> <param name="options">How many windows a prompt holds, and whether it is filled up.</param>
/// <param name="windowsAtOnce">Windows encoded together.</param> <param name="device">Where the model is.</param>
internal sealed class SoundEncoder(FlamingoModel model, WindowOptions options, int windowsAtOnce, Device device) : IDisposable
{
    private Tensor? _silence; // [1, h, c], the encoding of a window of silence

    /// <summary>Encodes the windows of a sound, a few at a time.</summary>
    /// <returns>[w, h, c], owned by the caller.</returns>
    public Tensor Encode(AudioWindows windows, IProgress<HearingProgress>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        Tensor? all = null;                                                      // [w, h, c]
        for (int first = 0; first < windows.Rows; first += windowsAtOnce)
        {
            cancellation.ThrowIfCancellationRequested();
            progress?.Report(new HearingProgress(first, windows.Rows));
            using var few = NewDisposeScope();
            int count = Math.Min(windowsAtOnce, windows.Rows - first);
            var encoded = model.Encode(windows.ToTensor(first, count).to(device)); // [count, h, c]
            // Made once, as a whole: parts kept one by one would stand between the blocks that each round needs and frees again.
            all ??= empty([windows.Rows, .. encoded.shape[1..]], encoded.dtype, encoded.device).MoveToOuterDisposeScope();
            all.narrow(0, first, count).copy_(encoded);
        }
        progress?.Report(new HearingProgress(windows.Rows, windows.Rows));
        return all!.DetachFromDisposeScope();
    }

    /// <summary>Prompts with as many sound slots may share a batch.</summary>
    /// <returns>0 for a prompt without sound.</returns>
    public int Slots(Question question) => question.Sounds.Count == 0 ? 0
        : !options.PadToMaxWindows ? 1 // filling is hidden from everything, so it does not matter how much there is
        : Math.Max(options.Slots, question.Sounds.Count); // the number of slots is part of what the audio transformer sees

    /// <summary>What the prompts of a batch hear.</summary>
    /// <param name="batch">Prompts of as many <see cref="Slots"/>.</param>
    /// <returns>Null for prompts without sound.</returns>
    public Media? Hear(IReadOnlyList<Question> batch)
    {
        int slots = Slots(batch[0]);
        if (slots == 0)
            return null;
        using var scope = NewDisposeScope();
        int windows = options.PadToMaxWindows ? slots * options.MaxWindows : batch.Max(q => q.Sounds.Sum(s => s.Windows));
        bool[] valid = new bool[batch.Count * windows];
        var rows = new List<Tensor>();
        for (int row = 0; row < batch.Count; row++)
        {
            var own = valid.AsSpan(row * windows, windows);
            rows.Add(cat([.. options.PadToMaxWindows ? Slotted(batch[row], slots, own) : InARow(batch[row], own)], 0)); // [w, h, c]
        }
        return model.Hear(stack(rows), tensor(valid, [batch.Count, windows], device: device)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _silence?.Dispose();

    // Every sound is filled up with windows of silence to the full number, and the prompt with silent sounds to its slots.
    private List<Tensor> Slotted(Question question, int slots, Span<bool> valid)
    {
        int windows = options.MaxWindows;
        var parts = new List<Tensor>();
        for (int slot = 0; slot < slots; slot++)
        {
            int real = slot < question.Sounds.Count ? question.Sounds[slot].Windows : 0;
            if (real > 0)
                parts.Add(question.Sounds[slot].Encodings);
            if (real < windows)
                parts.Add(Silence().expand(windows - real, -1, -1));
            valid.Slice(slot * windows, real).Fill(true);
        }
        return parts;
    }

    // One sound after the other; what fills the row up to the longest of the batch is seen by nothing.
    private static List<Tensor> InARow(Question question, Span<bool> valid)
    {
        List<Tensor> parts = [.. question.Sounds.Select(s => s.Encodings)];
        int real = question.Sounds.Sum(s => s.Windows);
        valid[..real].Fill(true);
        if (real < valid.Length)
            parts.Add(zeros([valid.Length - real, .. parts[0].shape[1..]], parts[0].dtype, parts[0].device));
        return parts;
    }

    private Tensor Silence()
    {
        if (_silence is null)
        {
            using var window = zeros([1, options.WindowSamples], ScalarType.Float32, device);
            _silence = model.Encode(window).DetachFromDisposeScope();
        }
        return _silence;
    }
}
