using FlamingoSharp.Models;
using FlamingoSharp.Weights;
using TorchSharp.Modules;

namespace FlamingoSharp.Training;

/// <summary>The parameters that a stage trains, in the groups that the optimiser treats differently.</summary>
/// <param name="CrossAttention">Decayed; names contain <c>gated_cross_attn</c>.</param>
/// <param name="Other">The rest of what is trained.</param>
internal sealed record TrainableParameters(
    IReadOnlyList<(string Name, Parameter Parameter)> CrossAttention, IReadOnlyList<(string Name, Parameter Parameter)> Other)
{
    /// <summary>What the optimiser is told.</summary>
    public IReadOnlyList<ParameterGroup> Groups(OptimizationOptions options) =>
    [
        new ParameterGroup("cross-attention", CrossAttention) { WeightDecay = options.CrossAttentionWeightDecay },
        new ParameterGroup("other", Other) { WeightDecay = options.OtherWeightDecay },
    ];

    /// <summary>Freezes the whole model, then frees what the stage trains. Source: train.py of Audio Flamingo 1.</summary>
    public static TrainableParameters Select(FlamingoModel model, TrainingStage stage, EmbeddingTraining embeddings)
    {
        var crossAttention = new List<(string, Parameter)>();
        var other = new List<(string, Parameter)>();
        foreach (var (name, parameter) in model.named_parameters())
        {
            var part = ModelParts.Of(name);
            bool conditioning = part == ModelPart.CrossAttention;
            bool embedding = name.EndsWith("embed_tokens.weight", StringComparison.Ordinal);
            parameter.requires_grad = conditioning
                || part == ModelPart.AudioTransformer
                || (embedding ? embeddings != EmbeddingTraining.Frozen : part == ModelPart.Language && stage == TrainingStage.SupervisedFineTuning);
            if (parameter.requires_grad)
                (conditioning ? crossAttention : other).Add((name, parameter));
        }
        return new TrainableParameters(crossAttention, other);
    }
}
