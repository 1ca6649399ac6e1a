using FlamingoSharp.Generation;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Output;

/// <summary>One answer as <c>--json</c> prints it, a line each: what was said, and everything needed to repeat it.</summary>
internal sealed record AnswerLine
{
    public required string File { get; init; }

    /// <summary>caption --segments: the segment's number, from 0, and where in the file it lies, in seconds.</summary>
    public int? Segment { get; init; }

    public double? Start { get; init; }

    public double? End { get; init; }

    public required string Text { get; init; }

    /// <summary>classify, and ask with options: which of them the answer is; null when it is none.</summary>
    public string? Label { get; init; }

    /// <summary>How probable that label is, where it was chosen by likelihood.</summary>
    public double? Probability { get; init; }

    /// <summary>All labels, the likeliest first.</summary>
    public IReadOnlyList<ProbabilityLine>? Probabilities { get; init; }

    /// <summary>What the labels were compared by: <c>sum</c> or <c>mean</c> of their tokens' log-probabilities.</summary>
    public string? Score { get; init; }

    /// <summary>What follows is there with <c>--think</c> alone, and null where the model left the tag out.</summary>
    public string? Summary { get; init; }

    public string? Caption { get; init; }

    public string? Reasoning { get; init; }

    public string? Conclusion { get; init; }

    /// <summary>True when the conclusion came from a second pass.</summary>
    public bool? Resumed { get; init; }

    /// <summary><c>stop</c>, or <c>length</c> when the answer was cut off. This and what else belongs to generation is absent where the label was chosen.</summary>
    public string? Finish { get; init; }

    public int? Tokens { get; init; }

    /// <summary>Every text, when more than one was asked for.</summary>
    public IReadOnlyList<CandidateLine>? Candidates { get; init; }

    /// <summary>With <c>--shots</c>: the examples that the model was shown, in order.</summary>
    public IReadOnlyList<ShotLine>? Shots { get; init; }

    /// <summary>classify with <c>--index</c>: what the nearest sounds alone say, the winner first.</summary>
    public IReadOnlyList<VoteLine>? Vote { get; init; }

    /// <summary>With <c>--rerank</c>: the answers by how well they fit the sound, the best first.</summary>
    public IReadOnlyList<RankedLine>? Ranked { get; init; }

    /// <summary>With <c>--rerank</c>: whether the best fits well enough.</summary>
    public bool? Sure { get; init; }

    /// <summary>Exactly what the model read, with <c>--show-prompt</c>.</summary>
    public string? Prompt { get; init; }

    public required int PromptTokens { get; init; }

    public required double SecondsHeard { get; init; }

    public required double SecondsDropped { get; init; }

    /// <summary>What the file is and what was done to it.</summary>
    public required string Sound { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    public required string Model { get; init; }

    public required string Device { get; init; }

    public required string Dtype { get; init; }

    public GenerationFacts? Generation { get; init; }

    /// <summary>Time to read and encode the sound; absent for segments, whose lines are the same in every run.</summary>
    public double? HearSeconds { get; init; }

    /// <summary>Time to answer, for the whole batch that this answer came from.</summary>
    public double? AnswerSeconds { get; init; }

    /// <summary>The word for a reason.</summary>
    public static string NameOf(FinishReason finish) => finish == FinishReason.Stop ? "stop" : "length";
}

/// <summary>One text among several.</summary>
internal sealed record CandidateLine(string Text, string? Conclusion, string Finish, int Tokens, double? Score)
{
    public static CandidateLine Of(AnswerText text, Thought? thought) =>
        new(text.Text, thought?.Conclusion, AnswerLine.NameOf(text.Finish), text.Tokens, text.Score);
}

/// <summary>One label among those to choose from.</summary>
internal sealed record ProbabilityLine(string Label, double Probability, double LogProbability, int Tokens)
{
    public static ProbabilityLine Of(LikelyAnswer answer) => new(answer.Text, Math.Round(answer.Probability, 6), Math.Round(answer.LogProbability, 4), answer.Tokens);
}

/// <summary>One turn of a chat.</summary>
internal sealed record ChatLine(string User, string Text, string Finish, string? Prompt);
