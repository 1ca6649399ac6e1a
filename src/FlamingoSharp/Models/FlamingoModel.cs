using FlamingoSharp.Runtime;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace FlamingoSharp.Models;

/// <summary>How sounds are laid out in a prompt and who may see them.</summary>
/// <param name="SoundToken">Id of <c>&lt;audio&gt;</c>, which marks the place of a sound in the text.</param>
/// <param name="VectorsPerSound">Audio vectors that the few-shot mask counts as one sound: windows a sound times vectors a window.</param>
/// <param name="FewShotMask">True where text sees only the sounds up to its own place (Audio Flamingo 1).</param>
internal sealed record Conditioning(int SoundToken, int VectorsPerSound, bool FewShotMask)
{
    /// <summary>True for the mask of Audio Flamingo 2's training code, with which nothing can be decoded.</summary>
    public bool ForTrainingOnly { get; init; }
}

/// <summary>
/// An audio-language model: sounds are encoded window by window, related to each other by a small transformer, and heard by a
/// language model through gated cross-attention before its layers.
/// </summary>
/// <remarks>
/// Shapes: b batch, w windows of a prompt (all sound slots), s samples a window, h vectors a window, c audio width,
/// l = w*h audio vectors, t text tokens, v vocabulary.<br/>
/// Source: Audio Flamingo (arXiv 2402.01831), Audio Flamingo 2 (arXiv 2503.03983).
/// </remarks>
internal sealed class FlamingoModel : Module
{
    private readonly Module<Tensor, Tensor>? _encoder;
    private readonly AudioTransformer _audioTransformer;
    private readonly LanguageModel _language;

    /// <param name="encoder">[n, s] -> [n, h, c]; null for a model that is only ever given encodings.</param>
    /// <param name="audioTransformer">[b, l, c] -> [b, l, c]</param>
    /// <param name="language">The decoder.</param>
    /// <param name="conditioning">Where the sounds stand.</param>
    public FlamingoModel(Module<Tensor, Tensor>? encoder, AudioTransformer audioTransformer, LanguageModel language, Conditioning conditioning)
        : base(nameof(FlamingoModel))
    {
        RegisterComponents(); // before there are any, so that torch never adds the parts again under the names of their fields
        (_encoder, _audioTransformer, _language, Conditioning) = (encoder, audioTransformer, language, conditioning);
        if (encoder is not null)
            register_module("clap", encoder);
        register_module(audioTransformer.CheckpointPath, audioTransformer);
        // The checkpoint's path to the decoder, one level at a time: lang_encoder.model.decoder.
        string[] path = language.CheckpointPath.Split('.');
        Module inner = language;
        foreach (string level in path.Skip(1).Reverse())
            inner = new Level(level, inner);
        register_module(path[0], inner);
    }

    /// <summary>Where the sounds stand in a prompt.</summary>
    public Conditioning Conditioning { get; }

    /// <summary>The decoder.</summary>
    public LanguageModel Language => _language;

    /// <summary>The encoder of windows; null for a model that is only ever given encodings.</summary>
    public Module<Tensor, Tensor>? EncoderPart => _encoder;

    /// <summary>The transformer over encoded windows.</summary>
    public AudioTransformer AudioPart => _audioTransformer;

    /// <summary>Encodes windows. Windows of silence, which pad every shorter sound, are encoded once.</summary>
    /// <param name="windows">[n, s]</param>
    /// <returns>[n, h, c], without gradient.</returns>
    /// <exception cref="InvalidOperationException">The model was made without an encoder.</exception>
    public Tensor Encode(Tensor windows)
    {
        var encoder = _encoder ?? throw new InvalidOperationException("This model was made without an encoder.");
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        bool[] silent = windows.IsZero().all(1).cpu().data<bool>().ToArray();
        int firstSilent = Array.IndexOf(silent, true);
        var distinct = new List<long>();
        long[] source = new long[silent.Length];
        for (int i = 0; i < silent.Length; i++)
        {
            bool repeated = silent[i] && i != firstSilent;
            source[i] = repeated ? source[firstSilent] : distinct.Count;
            if (!repeated)
                distinct.Add(i);
        }
        var encoded = encoder.forward(distinct.Count == silent.Length ? windows : windows.index_select(0, tensor(distinct, device: windows.device)));
        if (distinct.Count < silent.Length)
            encoded = encoded.index_select(0, tensor(source, device: windows.device));
        return encoded.MoveToOuterDisposeScope();
    }

    /// <summary>Relates encoded windows to each other and prepares them for every layer of the language model.</summary>
    /// <param name="encodings">[b, w, h, c]</param>
    /// <param name="validWindows">[b, w] (or [1, w] for every row), false for padding.</param>
    public Media Hear(Tensor encodings, Tensor validWindows)
    {
        using var scope = NewDisposeScope();
        long b = encodings.shape[0], w = encodings.shape[1], h = encodings.shape[2];
        var valid = validWindows.to_type(ScalarType.Bool).expand(b, w);
        valid = valid.repeat_interleave(h, 1).contiguous();                      // [b, l]
        var vectors = _audioTransformer.forward(encodings.reshape(b, w * h, -1), valid); // [b, l, c]
        return new Media(vectors, valid, _language.ProjectMedia(vectors)).MoveToOuterDisposeScope();
    }

    /// <summary>Scores of the next token at every position.</summary>
    /// <param name="ids">[b, t]</param>
    /// <param name="attend">[b, t], false for padding; null when there is none.</param>
    /// <param name="media">What is heard; null for text without sound.</param>
    /// <param name="soundPositions">Places of the sounds for each row; null finds them in <paramref name="ids"/>.</param>
    /// <param name="probe">Receives intermediate results by name; for tests.</param>
    /// <param name="recompute">For training: see <see cref="LanguageInput.Recompute"/>.</param>
    /// <returns>[b, t, v]</returns>
    public Tensor Forward(
        Tensor ids, Tensor? attend, Media? media, IReadOnlyList<long[]>? soundPositions = null, Action<string, Tensor>? probe = null,
        bool recompute = false)
    {
        using var scope = NewDisposeScope();
        var hidden = _language.Hidden(new LanguageInput(ids)
        {
            Attend = attend,
            Media = media?.Projected,
            MediaScores = media is null ? null : MediaScores(media, soundPositions ?? SoundPositions(ids), firstRow: 0, rows: ids.shape[1]),
            Probe = probe,
            Recompute = recompute,
        });                                                                      // [b, t, d]
        return _language.Logits(hidden).MoveToOuterDisposeScope();               // [b, t, v]
    }

    /// <summary>Which audio vectors each of <paramref name="rows"/> tokens may see, as scores, [b, 1, t or 1, l].</summary>
    /// <param name="media">What is heard.</param> <param name="soundPositions">Places of the sounds in each row's text.</param>
    /// <param name="firstRow">Position of the first token.</param> <param name="rows">Number of tokens.</param>
    public Tensor MediaScores(Media media, IReadOnlyList<long[]> soundPositions, long firstRow, long rows)
    {
        using var scope = NewDisposeScope();
        var visible = media.Valid.unsqueeze(1);                                  // [b, 1, l]
        if (Conditioning.FewShotMask)
        {
            // Media shared by all rows follow the places in the first row, as in the reference.
            var rowsOfMedia = media.Valid.shape[0] == 1 ? [soundPositions[0]] : soundPositions;
            visible = visible.logical_and(CrossAttentionMask.FewShot(
                rowsOfMedia, firstRow, rows, Conditioning.VectorsPerSound, media.Valid.shape[1]).to(media.Valid.device)); // [b, t, l]
        }
        return CrossAttentionMask.ToScores(visible, media.Vectors.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The places of <c>&lt;audio&gt;</c> in each row of ids.</summary>
    public IReadOnlyList<long[]> SoundPositions(Tensor ids)
    {
        using var scope = NewDisposeScope();
        long[] flat = ids.cpu().contiguous().data<long>().ToArray();
        int t = (int)ids.shape[1];
        return [.. flat.Chunk(t).Select(row => Enumerable.Range(0, t).Where(i => row[i] == Conditioning.SoundToken).Select(i => (long)i).ToArray())];
    }

    /// <summary>One level of a checkpoint's path.</summary>
    private sealed class Level : Module
    {
        public Level(string name, Module inner)
            : base(nameof(Level)) => register_module(name, inner);
    }
}
