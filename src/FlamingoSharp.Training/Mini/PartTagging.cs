using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>
/// Keeps an encoder honest while a language model learns to listen to it: what is heard in a stretch of time is to be told from the vectors
/// of that stretch alone. A composition's parts are known to the frame, so order and number are learned where they are heard.
/// </summary>
/// <remarks>Shapes: n windows of a batch, h vectors a window, c their width, p parts, l vectors of the longest part.</remarks>
internal sealed class PartTagging : IDisposable
{
    private const double TagWeight = 10;
    private readonly TagVocabulary _vocabulary;
    private readonly Dictionary<string, TaggedSound> _sounds;
    private readonly TaggingHeads _heads;
    private readonly int _framesOfWindow;
    private readonly int _vectors;

    /// <param name="sounds">What may be heard.</param> <param name="shape">The encoder.</param>
    /// <param name="minimumTagCount">Sounds that must carry a tag before it is learned.</param> <param name="seed">Of the heads' first values.</param>
    public PartTagging(IReadOnlyList<TaggedSound> sounds, HtsatOptions shape, int minimumTagCount, long seed)
    {
        _vocabulary = new TagVocabulary(sounds, minimumTagCount);
        _sounds = sounds.ToDictionary(s => s.Id);
        _heads = new TaggingHeads(2 * shape.OutputDim, _vocabulary);
        ParameterInit.Initialize(_heads, seed);
        (_framesOfWindow, _vectors) = (shape.Mel.Frames(shape.WindowSamples) - 1, shape.OutputTokens);
    }

    /// <summary>What is learned here and thrown away.</summary>
    public IEnumerable<(string name, TorchSharp.Modules.Parameter parameter)> Parameters => _heads.named_parameters();

    /// <summary>Lays out what is to be told of a batch; null where nothing is.</summary>
    /// <param name="laid">The sounds in the order of their windows.</param> <param name="windowValues">Numbers of one window.</param>
    public PartTargets? Targets(IEnumerable<LaidSound> laid, int windowValues)
    {
        List<(int First, int Count, TaggedSound Sound)> spans = [];
        int window = 0;
        foreach (var sound in laid)
        {
            int windows = sound.Mels.Length / windowValues, vectors = windows * _vectors;
            foreach (var part in sound.Parts)
            {
                int first = Math.Min(part.First * _vectors / _framesOfWindow, vectors - 1);
                int end = Math.Clamp((part.End * _vectors + _framesOfWindow - 1) / _framesOfWindow, first + 1, vectors);
                if (_sounds.TryGetValue(part.Id, out var heard))
                    spans.Add((window * _vectors + first, end - first, heard));
            }
            window += windows;
        }
        if (spans.Count == 0)
            return null;
        int p = spans.Count, l = spans.Max(s => s.Count);
        long[] rows = new long[p * l];
        float[] shares = new float[p * l], tags = new float[p * _vocabulary.Tags], concepts = new float[p * _vocabulary.Concepts];
        for (int i = 0; i < p; i++)
        {
            var (first, count, sound) = spans[i];
            for (int j = 0; j < l; j++)
            {
                rows[i * l + j] = first + Math.Min(j, count - 1); // the last vector again: it changes no maximum
                shares[i * l + j] = j < count ? 1f / count : 0;
            }
            foreach (int tag in _vocabulary.TagsOf(sound))
                tags[i * _vocabulary.Tags + tag] = 1;
            if (_vocabulary.ConceptOf(sound) is >= 0 and int concept)
                concepts[i * _vocabulary.Concepts + concept] = 1;
        }
        using var scope = NewDisposeScope();
        return new(
            tensor(rows).DetachFromDisposeScope(), tensor(shares, [p, 1, l]).DetachFromDisposeScope(),
            tensor(tags, [p, _vocabulary.Tags]).DetachFromDisposeScope(), tensor(concepts, [p, _vocabulary.Concepts]).DetachFromDisposeScope());
    }

    /// <summary>What is wrong with what can be told.</summary>
    /// <param name="vectors">Of a batch; [n, h, c].</param> <param name="targets">Of the same batch.</param>
    public Tensor Loss(Tensor vectors, PartTargets targets)
    {
        using var scope = NewDisposeScope();
        long p = targets.Shares.shape[0], l = targets.Shares.shape[2];
        var heard = vectors.flatten(0, 1).index_select(0, targets.Rows).view(p, l, -1);        // [p, l, c]
        var pooled = cat([targets.Shares.matmul(heard).squeeze(1), heard.amax([1])], 1);       // [p, 2c]
        return _heads.Loss(pooled, targets.Tags, targets.Concepts, TagWeight).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _heads.Dispose();
}

/// <summary>What is to be told of the parts of a batch.</summary>
/// <param name="Rows">Vectors of each part, among all of the batch; [p * l].</param> <param name="Shares">Their shares in its mean; [p, 1, l].</param>
/// <param name="Tags">[p, tags]</param> <param name="Concepts">[p, concepts]</param>
internal sealed record PartTargets(Tensor Rows, Tensor Shares, Tensor Tags, Tensor Concepts) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in new[] { Rows, Shares, Tags, Concepts })
            tensor.Dispose();
    }
}
