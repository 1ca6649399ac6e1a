using FlamingoSharp.Generation;
using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>A batch of prompts in the middle of generation: the tokens so far, their key-value cache, and what is heard.</summary>
/// <remarks>
/// Shorter prompts are padded on the left; positions count real tokens only and padding is hidden, so that every row's answer is
/// that of a run of its own.
/// </remarks>
internal sealed class DecodingSession : IDecodingSession
{
    private readonly FlamingoModel _model;
    private readonly bool _firstSoundOnly;
    private readonly KeyValueCache _cache;
    private readonly Tensor _prompt;        // [b, t]
    private Media? _media;
    private IReadOnlyList<long[]> _soundPositions;
    private Tensor? _attend;                // [b, capacity], null when nothing is padded
    private Tensor? _stepScores;            // [b, 1, 1, l], the same at every step
    private bool _ownsMedia;

    /// <param name="model">The model.</param>
    /// <param name="prompt">[b, t] ids, padded on the left.</param>
    /// <param name="attend">[b, t], false for padding; null when there is none.</param>
    /// <param name="media">What is heard; null for text without sound.</param>
    /// <param name="maxNewTokens">Room to reserve after the prompt.</param>
    /// <param name="firstSoundOnly">
    /// True reproduces the released few-shot decoding, in which tokens after the first generated one hear the first sound only
    /// because the rule restarts at row 0; the model was trained without that.
    /// </param>
    /// <param name="ownsMedia">True disposes the media with the session.</param>
    /// <exception cref="FlamingoException">The model's mask is one for training only.</exception>
    public DecodingSession(
        FlamingoModel model, Tensor prompt, Tensor? attend, Media? media, int maxNewTokens, bool firstSoundOnly = false, bool ownsMedia = false)
    {
        if (media is not null && model.Conditioning.ForTrainingOnly)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                "This model is configured with the few-shot mask of Audio Flamingo 2's training code, which cannot decode; set few_shot_mask to false in config.json, as in the release.");
        }
        (_model, _media, _firstSoundOnly, _ownsMedia) = (model, media, firstSoundOnly, ownsMedia);
        using var scope = NewDisposeScope();
        long rows = prompt.shape[0], length = prompt.shape[1];
        var language = model.Language;
        long capacity = Math.Min(length + maxNewTokens, Math.Max(language.MaxTokens, length));
        _cache = new KeyValueCache(language.Layers, rows, language.KeyValueHeads, capacity, language.HeadWidth, language.Type, prompt.device);
        _prompt = prompt.alias().DetachFromDisposeScope();
        _soundPositions = model.SoundPositions(prompt);
        if (attend is not null)
            _attend = cat([attend, ones(rows, capacity - length, ScalarType.Bool, prompt.device)], 1).DetachFromDisposeScope();
        PromptLengths = attend is null
            ? [.. Enumerable.Repeat((int)length, (int)rows)]
            : [.. attend.sum(1, type: ScalarType.Int64).cpu().data<long>().Select(n => (int)n)];
    }

    /// <summary>Starts prompts of any lengths.</summary>
    public static DecodingSession Start(
        FlamingoModel model, IReadOnlyList<IReadOnlyList<int>> prompts, int padToken, Media? media, int maxNewTokens,
        bool firstSoundOnly = false, bool ownsMedia = false)
    {
        using var scope = NewDisposeScope();
        int length = prompts.Max(p => p.Count);
        long[] ids = new long[prompts.Count * length];
        bool[] real = new bool[ids.Length];
        for (int row = 0; row < prompts.Count; row++)
        {
            int start = row * length + length - prompts[row].Count;
            Array.Fill(ids, padToken, row * length, length - prompts[row].Count);
            for (int i = 0; i < prompts[row].Count; i++)
                (ids[start + i], real[start + i]) = (prompts[row][i], true);
        }
        var device = model.Language.Device;
        bool padded = prompts.Any(p => p.Count < length);
        return new DecodingSession(model, tensor(ids, [prompts.Count, length], device: device),
            padded ? tensor(real, [prompts.Count, length], device: device) : null, media, maxNewTokens, firstSoundOnly, ownsMedia);
    }

    /// <inheritdoc/>
    public int Rows => PromptLengths.Length;

    /// <inheritdoc/>
    public int[] PromptLengths { get; private set; }

    /// <inheritdoc/>
    public Tensor Prefill()
    {
        var scores = _media is null ? null : _model.MediaScores(_media, _soundPositions, firstRow: 0, rows: _prompt.shape[1]);
        using (scores)
        {
            var logits = Run(_prompt, scores, lastOnly: true);
            if (_media is not null)
            {
                using var outside = NewDisposeScope();
                _stepScores = _model.MediaScores(_media, _soundPositions, firstRow: _firstSoundOnly ? 0 : _prompt.shape[1], rows: 1)
                    .DetachFromDisposeScope();
            }
            return logits;
        }
    }

    /// <inheritdoc/>
    public Tensor Step(ReadOnlySpan<long> tokens)
    {
        using var ids = tensor(tokens.ToArray(), [Rows, tokens.Length / Rows], device: _prompt.device);
        return Run(ids, _stepScores, lastOnly: false);
    }

    /// <inheritdoc/>
    public void Rewind() => _cache.Rewind(_prompt.shape[1]);

    /// <inheritdoc/>
    public void Reorder(ReadOnlySpan<long> rows)
    {
        using var scope = NewDisposeScope();
        long[] order = rows.ToArray();
        var index = tensor(order, device: _prompt.device);
        _cache.Reorder(index);
        PromptLengths = [.. order.Select(r => PromptLengths[r])];
        _soundPositions = [.. order.Select(r => _soundPositions[(int)r])];
        if (_attend is not null)
            Replace(ref _attend, _attend.index_select(0, index));
        if (_stepScores is not null && _stepScores.shape[0] > 1)
            Replace(ref _stepScores, _stepScores.index_select(0, index));
        if (_media is not null && _media.Vectors.shape[0] > 1)
        {
            var selected = _media.Select(index).Detach();
            if (_ownsMedia)
                _media.Dispose();
            (_media, _ownsMedia) = (selected, true);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache.Dispose();
        _prompt.Dispose();
        _attend?.Dispose();
        _stepScores?.Dispose();
        if (_ownsMedia)
            _media?.Dispose();
    }

    /// <returns>Float32 on the CPU: the scores after the last token, [b, v], or after each, [b*t, v].</returns>
    private Tensor Run(Tensor ids, Tensor? scores, bool lastOnly)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        long total = _cache.Length + ids.shape[1];
        var hidden = _model.Language.Hidden(new LanguageInput(ids)
        {
            Attend = _attend?.narrow(1, 0, total),
            Media = _media?.Projected,
            MediaScores = scores,
            Cache = _cache,
        });                                                                      // [b, t, d]
        var wanted = lastOnly ? hidden.select(1, -1) : hidden.flatten(0, 1);     // [b, d] or [b*t, d]
        return _model.Language.Logits(wanted).to(ScalarType.Float32, CPU).contiguous().MoveToOuterDisposeScope();
    }

    private static void Replace(ref Tensor? kept, Tensor by)
    {
        kept?.Dispose();
        kept = by.DetachFromDisposeScope();
    }
}
