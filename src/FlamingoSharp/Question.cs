using FlamingoSharp.Generation;
using FlamingoSharp.Text;

namespace FlamingoSharp;

/// <summary>A prompt and the sounds that its sound parts stand for, in order.</summary>
public sealed record Question
{
    /// <summary>Joins a prompt and its sounds.</summary>
    /// <exception cref="FlamingoException">There are more or fewer sounds than the prompt has places for.</exception>
    public Question(Prompt prompt, params IReadOnlyList<Sound> sounds)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(sounds);
        if (prompt.Sounds != sounds.Count)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The prompt has places for {prompt.Sounds} sounds but {sounds.Count} are given. Give one for each.");
        }
        (Prompt, Sounds) = (prompt, sounds);
    }

    /// <summary>What is asked.</summary>
    public Prompt Prompt { get; }

    /// <summary>What is heard.</summary>
    public IReadOnlyList<Sound> Sounds { get; }
}

/// <summary>What a model says.</summary>
public sealed record Answer
{
    /// <summary>The best text.</summary>
    public string Text => Candidates[0].Text;

    /// <summary>Every text that was asked for, the best (or first drawn) first.</summary>
    public required IReadOnlyList<AnswerText> Candidates { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Seconds of sound that the model heard.</summary>
    public required double SecondsHeard { get; init; }

    /// <summary>Seconds of sound that did not fit.</summary>
    public required double SecondsDropped { get; init; }

    /// <summary>Seed of the draws; the same seed gives the same texts.</summary>
    public required long Seed { get; init; }

    /// <summary>Where the time went, for all questions that were answered together.</summary>
    public GenerationTiming Timing { get; init; }
}

/// <summary>One text of an answer.</summary>
/// <param name="Text">Without special tokens and outer white space.</param>
/// <param name="Finish">Why it ends.</param>
/// <param name="Tokens">Tokens generated, the stop token included.</param>
/// <param name="Score">Sum of log-probabilities, or the beam's score; null where neither was asked for.</param>
public sealed record AnswerText(string Text, FinishReason Finish, int Tokens, double? Score);
