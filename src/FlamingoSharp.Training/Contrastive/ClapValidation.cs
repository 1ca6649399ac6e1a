using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Stages;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Tries a CLAP model on sounds that it does not learn from: loss, recall both ways, and naming labels without having been trained to.</summary>
internal sealed class ClapValidation
{
    private const int LossBatches = 32;
    private const int MostSounds = 2000; // evenly spaced
    private const int TextsAtOnce = 64, SoundsAtOnce = 16;

    private readonly ClapTowers _towers;
    private readonly ClapTokenizer _tokens;
    private readonly IReadOnlyList<ClapSound> _sounds;
    private readonly string[] _captions, _labels;
    private readonly IReadOnlyList<int>[] _captionsOf, _labelsOf;
    private readonly int _batchSize;

    public ClapValidation(
        ClapTowers towers, ClapTokenizer tokens, IReadOnlyList<ClapSound> training, IReadOnlyList<ClapSound> validation, int batchSize)
    {
        int tried = Math.Min(validation.Count, MostSounds);
        (_towers, _tokens, _batchSize) = (towers, tokens, Math.Min(batchSize, tried));
        _sounds = [.. Enumerable.Range(0, tried).Select(i => validation[(int)((long)i * validation.Count / tried)])];
        _captions = [.. _sounds.SelectMany(s => s.Captions).Distinct()];
        _labels = [.. training.Concat(_sounds).SelectMany(s => s.Labels).Distinct().Order(StringComparer.Ordinal)];
        _captionsOf = Places(_captions, s => s.Captions);
        _labelsOf = Places(_labels, s => s.Labels);
    }

    /// <summary>Tries; the towers are in evaluation mode, without gradient.</summary>
    /// <param name="unreadable">Told of a sound that cannot be read, which is then left out; may throw.</param> <param name="cancellation">Stops between batches.</param>
    /// <exception cref="FlamingoException">No sound can be read.</exception>
    public ValidationResult Run(Action<FlamingoException> unreadable, CancellationToken cancellation)
    {
        var embedded = Enumerable.Range(0, _sounds.Count).Chunk(SoundsAtOnce).SelectMany(few => Embed(few, unreadable, cancellation)).ToList();
        int[] heard = [.. embedded.Select(e => e.Sound)];
        float[][] sounds = [.. embedded.Select(e => e.Vector)];
        if (heard.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"Not one of the {_sounds.Count} validation sounds can be read. Restore them, or validate on others.");
        float[][] captions = Embed(_captions, cancellation), labels = Embed(_labels, cancellation);
        var scores = RetrievalScores.Recall(sounds, captions, [.. heard.Select(i => _captionsOf[i])]);
        var named = embedded.Where(e => _labelsOf[e.Sound].Count > 0).ToList();
        scores["zero-shot"] = RetrievalScores.Accuracy([.. named.Select(e => e.Vector)], labels, [.. named.Select(e => _labelsOf[e.Sound])]);
        using var scope = NewDisposeScope();
        scores["scale"] = _towers.LogScale!.exp().item<float>();
        return new ValidationResult(Loss(heard, sounds, captions), scores);
    }

    private IReadOnlyList<int>[] Places(string[] texts, Func<ClapSound, IReadOnlyList<string>> of)
    {
        var places = texts.Index().ToDictionary(t => t.Item, t => t.Index);
        return [.. _sounds.Select(s => of(s).Select(t => places[t]).ToArray())];
    }

    // The batches are the same at every validation.
    private double Loss(int[] heard, float[][] sounds, float[][] captions)
    {
        var draw = new BatchDraw([.. heard.Select(i => _sounds[i])]);
        double sum = 0;
        for (int batch = 0; batch < LossBatches; batch++)
        {
            using var scope = NewDisposeScope();
            int[] rows = draw.Draw(Math.Min(_batchSize, heard.Length), SplitMix.At(0, batch));
            int n = rows.Length;
            float[] fits = [.. Enumerable.Range(0, n * n).Select(i => Fits(rows[i / n], rows[i % n]) ? 1f : 0f)];
            sum += ContrastiveLoss.Of(
                Rows(rows.Select(r => sounds[r])), Rows(rows.Select(r => captions[_captionsOf[heard[r]][0]])), _towers.LogScale!, tensor(fits, [n, n])).item<float>();
        }
        return sum / LossBatches;

        bool Fits(int a, int b) => _captionsOf[heard[a]].Contains(_captionsOf[heard[b]][0]) || _sounds[heard[a]].Kind == _sounds[heard[b]].Kind;
    }

    private static Tensor Rows(IEnumerable<float[]> vectors) => stack([.. vectors.Select(v => tensor(v))]);

    // As the model in use does it: the mean over a sound's windows. Sounds that cannot be read have no row.
    private IReadOnlyList<(int Sound, float[] Vector)> Embed(int[] sounds, Action<FlamingoException> unreadable, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var scope = NewDisposeScope();
        var read = sounds.Select(s => (Sound: s, Features: unreadable.TryRead(_sounds[s].Hear))).Where(r => r.Features is not null).ToList();
        if (read.Count == 0)
            return [];
        SoundFeatures[] heard = [.. read.Select(r => r.Features!)];
        float[] values = [.. heard.SelectMany(h => h.Values)];
        int windows = heard.Sum(h => h.Windows), at = 0;
        float[] shares = new float[heard.Length * windows];
        for (int row = 0; row < heard.Length; at += heard[row++].Windows)
            shares.AsSpan(row * windows + at, heard[row].Windows).Fill(1);
        var all = tensor(values, [windows, .. heard[0].Shape[1..]]);                                                              // [w, f, m]
        var vectors = cat([.. all.split(_towers.Audio.Options.WindowsAtOnce).Select(few => _towers.EmbedLogMel(few))], 0);        // [w, d]
        var means = ClapTowers.Unit(tensor(shares, [heard.Length, windows]).matmul(vectors));                                    // [n, d]
        return [.. read.Select(r => r.Sound).Zip(means.data<float>().ToArray().Chunk((int)means.shape[1]))];
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
