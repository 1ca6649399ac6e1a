using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
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

    /// <summary>What is wrong with the scores: of the concepts as a choice among all, of the tags each by itself.</summary>
    /// <param name="vectors">[n, c]</param> <param name="tags">1 where a tag is right; [n, tags].</param>
    /// <param name="concepts">Shares that sum to 1, or to 0 where there is no concept; [n, concepts].</param>
    /// <param name="tagWeight">Of the tags' loss (mean over tags) beside the concepts' cross entropy.</param>
    public Tensor Loss(Tensor vectors, Tensor tags, Tensor concepts, double tagWeight)
    {
        using var scope = NewDisposeScope();
        var (tagScores, conceptScores) = forward(vectors);
        // Rows without a concept have all-zero targets and add nothing.
        var conceptLoss = -(concepts * nn.functional.log_softmax(conceptScores, 1)).sum() / concepts.sum().RaiseInPlace(1);
        if (tags.shape[1] == 0) // too few sounds for any tag
            return conceptLoss.MoveToOuterDisposeScope();
        var tagLoss = nn.functional.binary_cross_entropy_with_logits(tagScores, tags);
        return conceptLoss.Plus(tagLoss.Times(tagWeight)).MoveToOuterDisposeScope();
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
