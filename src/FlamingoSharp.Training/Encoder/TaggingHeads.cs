using FlamingoSharp.Models;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>Reads tags and a concept off an encoder's vector.</summary>
internal sealed class TaggingHeads : nn.Module
{
    private readonly LayerNorm _norm;
    private readonly LinearLayer _tags;
    private readonly LinearLayer _concepts;

    public TaggingHeads(int width, TagVocabulary vocabulary)
        : base(nameof(TaggingHeads))
    {
        _norm = new LayerNorm(width);
        _tags = new LinearLayer(width, vocabulary.Tags);
        _concepts = new LinearLayer(width, vocabulary.Concepts);
        RegisterComponents();
    }

    /// <param name="vectors">[n, c]</param>
    /// <returns>Scores, [n, tags] and [n, concepts].</returns>
    public (Tensor Tags, Tensor Concepts) forward(Tensor vectors)
    {
        using var scope = NewDisposeScope();
        var x = _norm.forward(vectors);
        return (_tags.forward(x).MoveToOuterDisposeScope(), _concepts.forward(x).MoveToOuterDisposeScope());
    }
}
