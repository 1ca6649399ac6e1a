using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>How well the sounds of an evaluation were named.</summary>
/// <param name="Accuracy">Share that got their label.</param> <param name="MacroRecall">Mean over the labels of the share of their sounds that got it.</param>
internal sealed record FewShotScore(double Accuracy, double MacroRecall)
{
    /// <summary>Scores answers.</summary>
    /// <param name="answers">The right label of each sound, and the one given; null for no label.</param>
    public static FewShotScore Of(IReadOnlyList<(string Expected, string? Given)> answers)
    {
        var matrix = new ConfusionMatrix(answers);
        return new(Math.Round(matrix.Accuracy, 6), Math.Round(matrix.BalancedAccuracy, 6));
    }
}

/// <summary>A model after some examples.</summary>
/// <param name="Shots">Examples before the question.</param> <param name="Chosen">How: <c>none</c>, <c>similar</c> or <c>random</c>.</param>
/// <param name="LabelShown">Share of the sounds whose label is that of an example: what copying an example can reach.</param>
/// <param name="Generated">The text that the model says; right where it is the label.</param>
/// <param name="Likeliest">The label, among all of the index, that the model finds likeliest to be said.</param>
internal sealed record FewShotRow(int Shots, string Chosen, double LabelShown, FewShotScore Generated, FewShotScore Likeliest);

/// <summary>The nearest sounds of the index alone, without a model.</summary>
/// <param name="Neighbours">Sounds that vote.</param> <param name="Score">How often they elect the label.</param>
internal sealed record VoteRow(int Neighbours, FewShotScore Score);

/// <summary>What examples from an index are worth to a model.</summary>
internal sealed record FewShotReport
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The index.</summary>
    public required string Index { get; init; }

    /// <summary>The encoder that finds the similar ones.</summary>
    public required EncoderIdentity Encoder { get; init; }

    /// <summary>The question as the model reads it without examples.</summary>
    public required string Prompt { get; init; }

    /// <summary>Seed of the random examples.</summary>
    public required int Seed { get; init; }

    /// <summary>Sounds asked about; the same in every row.</summary>
    public required int Queries { get; init; }

    /// <summary>Sounds not asked about, since no other sound of the index, of another recording, has their label.</summary>
    public required int LeftOut { get; init; }

    /// <summary>The labels of the index.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>The model, by number of examples.</summary>
    public required IReadOnlyList<FewShotRow> Rows { get; init; }

    /// <summary>The neighbours alone.</summary>
    public required IReadOnlyList<VoteRow> Votes { get; init; }

    /// <summary>Sounds that could not be asked about, or whose examples could not be read, and why; they are in no row.</summary>
    public required IReadOnlyList<Unanswered> Failures { get; init; }
}
