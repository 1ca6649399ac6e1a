using FlamingoSharp.Models;
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
            bool conditioning = name.Contains("gated_cross_attn", StringComparison.Ordinal);
            bool embedding = name.EndsWith("embed_tokens.weight", StringComparison.Ordinal);
            bool language = name.StartsWith("lang_encoder.", StringComparison.Ordinal);
            parameter.requires_grad = conditioning
                || name.StartsWith("audio_transformer", StringComparison.Ordinal)
                || (embedding ? embeddings != EmbeddingTraining.Frozen : language && stage == TrainingStage.SupervisedFineTuning);
            if (parameter.requires_grad)
                (conditioning ? crossAttention : other).Add((name, parameter));
        }
        return new TrainableParameters(crossAttention, other);
    }
}
