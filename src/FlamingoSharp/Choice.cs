using FlamingoSharp.Generation;
using FlamingoSharp.Text;

namespace FlamingoSharp;

/// <summary>What the answers to choose from are compared by.</summary>
public enum ChoiceScore
{
    /// <summary>The log-probability of the whole answer: how likely the model is to say exactly this.</summary>
    Sum,

    /// <summary>That, divided by the answer's tokens, its end included: long answers are not held against themselves.</summary>
    MeanPerToken,
}

/// <summary>How an answer is chosen.</summary>
public sealed record ChoiceOptions
{
    /// <summary>What the answers are compared by.</summary>
    public ChoiceScore Score { get; init; } = ChoiceScore.Sum;
}

/// <summary>A question, and the answers of which one is wanted.</summary>
public sealed record ChoiceQuestion
{
    /// <summary>Joins a question and its answers; whether the prompt lists them is up to the prompt.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="answers">In any order; compared as the model reads them, in lower case, each may occur once. One may begin with another.</param>
    /// <exception cref="FlamingoException">There is no answer, one is empty, or one occurs twice.</exception>
    public ChoiceQuestion(Question question, IReadOnlyList<string> answers)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(answers);
        Question = question;
        Answers = TaskPrompts.Checked(answers, "answer");
        Written = Answers;
    }

    /// <summary>A task that comes with its answers, in the wording of a model.</summary>
    /// <param name="task">Made by <see cref="TaskPrompts.Choose"/>, <see cref="TaskPrompts.Classify"/> or <see cref="TaskPrompts.YesOrNo"/>.</param>
    /// <param name="format">The model's: <see cref="Models.FlamingoConfig.Prompts"/>.</param>
    /// <param name="sounds">What it is about.</param>
    /// <exception cref="FlamingoException">The task has no answers to choose from.</exception>
    public static ChoiceQuestion Of(TaskPrompt task, PromptFormat format, params IReadOnlyList<Sound> sounds)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(sounds);
        if (task.Answers.Count == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The task \"{task.Prompt}\" has no answers to choose from; make it with {nameof(TaskPrompts)}.{nameof(TaskPrompts.Choose)}, {nameof(TaskPrompts.Classify)} or {nameof(TaskPrompts.YesOrNo)}.");
        }
        return new(new Question(format.Ask(task, sounds.Count), sounds), task.Answers) { Written = format.AnswersTo(task) };
    }

    /// <summary>What is asked.</summary>
    public Question Question { get; }

    /// <summary>The answers, without outer white space.</summary>
    public IReadOnlyList<string> Answers { get; }

    /// <summary>The answers as the model writes them: <c>(A) rain</c> where the prompt gives them letters.</summary>
    internal IReadOnlyList<string> Written { get; private init; }
}

/// <summary>One of the answers that there were to choose from.</summary>
/// <param name="Index">Its place among <see cref="ChoiceQuestion.Answers"/>, from 0.</param>
/// <param name="Text">The answer as it was given.</param>
/// <param name="Probability">Its share among the answers; they add up to 1.</param>
/// <param name="LogProbability">Natural logarithm of how likely the model is to say exactly this, among everything that it could say.</param>
/// <param name="Tokens">Its tokens, the end included.</param>
public sealed record LikelyAnswer(int Index, string Text, double Probability, double LogProbability, int Tokens);

/// <summary>Which answer a model finds likeliest.</summary>
public sealed record Choice
{
    /// <summary>The likeliest answer, as it was given.</summary>
    public string Text => Best.Text;

    /// <summary>The likeliest answer.</summary>
    public LikelyAnswer Best => Answers[0];

    /// <summary>All answers, the likeliest first; of equal ones the one given first.</summary>
    public required IReadOnlyList<LikelyAnswer> Answers { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Seconds of sound that the model heard.</summary>
    public required double SecondsHeard { get; init; }

    /// <summary>Seconds of sound that did not fit.</summary>
    public required double SecondsDropped { get; init; }

    /// <summary>Where the time went, for all questions that were run together: <see cref="GenerationTiming.Decode"/> is that of the answers.</summary>
    public GenerationTiming Timing { get; init; }

    /// <summary>Ranks answers.</summary>
    /// <param name="question">What was asked.</param> <param name="tokens">The same as the model read it.</param>
    /// <param name="sums">The log-probability of each answer.</param> <param name="options">What they are compared by.</param> <param name="timing">Where the time went.</param>
    internal static Choice Of(ChoiceQuestion question, AnswerTokens tokens, double[] sums, ChoiceOptions options, GenerationTiming timing)
    {
        double[] scores = [.. sums.Select((s, i) => options.Score == ChoiceScore.Sum ? s : s / tokens.Answers[i].Count)];
        double[] shares = [.. scores.Select(s => Math.Exp(s - scores.Max()))];
        double whole = shares.Sum();
        return new Choice
        {
            Answers = [.. sums.Select((s, i) => new LikelyAnswer(i, question.Answers[i], shares[i] / whole, s, tokens.Answers[i].Count))
                .OrderByDescending(a => scores[a.Index])],
            PromptTokens = tokens.Prompt.Count,
            SecondsHeard = question.Question.Sounds.Sum(s => s.SecondsHeard),
            SecondsDropped = question.Question.Sounds.Sum(s => s.SecondsDropped),
            Timing = timing,
        };
    }
}
