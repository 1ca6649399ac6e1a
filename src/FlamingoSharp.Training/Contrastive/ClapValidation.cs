using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Tries a CLAP model on sounds that it does not learn from: loss, recall both ways, and naming concepts without having been trained to.</summary>
internal sealed class ClapValidation
{
    private const int LossBatches = 32;
    private const int TextsAtOnce = 64, SoundsAtOnce = 16;

    private readonly ClapTowers _towers;
    private readonly ClapTokenizer _tokens;
    private readonly MelStore _mels;
    private readonly IReadOnlyList<ClapSound> _sounds;
    private readonly string[] _captions;
    private readonly int[] _captionOf;
    private readonly string[] _concepts;
    private readonly int _batchSize;

    public ClapValidation(
        ClapTowers towers, ClapTokenizer tokens, MelStore mels, IReadOnlyList<ClapSound> training, IReadOnlyList<ClapSound> validation, int batchSize)
    {
        (_towers, _tokens, _mels, _sounds, _batchSize) = (towers, tokens, mels, validation, Math.Min(batchSize, validation.Count));
        _captions = [.. validation.Select(s => s.Caption).Distinct()];
        var places = _captions.Index().ToDictionary(c => c.Item, c => c.Index);
        _captionOf = [.. validation.Select(s => places[s.Caption])];
        _concepts = [.. training.Concat(validation).Select(s => s.Concept).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>Tries; the towers are in evaluation mode, without gradient.</summary>
    public ValidationResult Run(CancellationToken cancellation)
    {
        float[][] sounds = [.. _sounds.Chunk(SoundsAtOnce).SelectMany(few => Embed(few, cancellation))];
        float[][] captions = Embed(_captions, cancellation), concepts = Embed(_concepts, cancellation);
        var scores = RetrievalScores.Recall(sounds, captions, _captionOf);
        int[] named = [.. Enumerable.Range(0, sounds.Length).Where(i => _sounds[i].Concept is not null)];
        scores["zero-shot"] = RetrievalScores.Accuracy(
            [.. named.Select(i => sounds[i])], concepts, [.. named.Select(i => Array.BinarySearch(_concepts, _sounds[i].Concept, StringComparer.Ordinal))]);
        using var scope = NewDisposeScope();
        scores["scale"] = _towers.LogScale!.exp().item<float>();
        return new ValidationResult(Loss(sounds, captions), scores);
    }

    // The batches are the same at every validation.
    private double Loss(float[][] sounds, float[][] captions)
    {
        var draw = new BatchDraw(_sounds);
        double sum = 0;
        for (int batch = 0; batch < LossBatches; batch++)
        {
            using var scope = NewDisposeScope();
            int[] rows = draw.Draw(_batchSize, SplitMix.At(0, batch));
            int n = rows.Length;
            float[] fits = [.. Enumerable.Range(0, n * n).Select(i => Fits(rows[i / n], rows[i % n]) ? 1f : 0f)];
            sum += ContrastiveLoss.Of(
                Rows(rows.Select(r => sounds[r])), Rows(rows.Select(r => captions[_captionOf[r]])), _towers.LogScale!, tensor(fits, [n, n])).item<float>();
        }
        return sum / LossBatches;

        bool Fits(int a, int b) => _captionOf[a] == _captionOf[b] || _sounds[a].Kind == _sounds[b].Kind;
    }

    private static Tensor Rows(IEnumerable<float[]> vectors) => stack([.. vectors.Select(v => tensor(v))]);

    // As the model in use does it: the mean over a sound's windows.
    private float[][] Embed(ClapSound[] sounds, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var scope = NewDisposeScope();
        var windows = sounds.SelectMany((s, row) => Enumerable.Range(0, _mels.WindowsOf(s.Id)).Select(w => (s.Id, Row: row, Window: w))).ToArray();
        int size = _mels.Options.WindowValues;
        float[] values = new float[windows.Length * size], shares = new float[sounds.Length * windows.Length];
        for (int i = 0; i < windows.Length; i++)
        {
            _mels.CopyTo(windows[i].Id, windows[i].Window, values.AsSpan(i * size, size));
            shares[windows[i].Row * windows.Length + i] = 1;
        }
        var vectors = _towers.EmbedLogMel(tensor(values, [windows.Length, _mels.Options.Frames, _mels.Options.Mel.Mels]));           // [w, d]
        var means = ClapTowers.Unit(tensor(shares, [sounds.Length, windows.Length]).matmul(vectors));                              // [n, d]
        return [.. means.data<float>().ToArray().Chunk((int)means.shape[1])];
    }

    private float[][] Embed(string[] texts, CancellationToken cancellation)
    {
        var vectors = new List<float[]>();
        foreach (string[] few in texts.Chunk(TextsAtOnce))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (ids, attend) = _tokens.Batch([.. few.Select(_tokens.Encode)]);
            var embedded = _towers.EmbedText(ids, attend);
            vectors.AddRange(embedded.data<float>().ToArray().Chunk((int)embedded.shape[1]));
        }
        return [.. vectors];
    }
}
