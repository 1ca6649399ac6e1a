using FlamingoSharp.Generation;
using FlamingoSharp.Text;

namespace FlamingoSharp;

/// <summary>An answer with the reasoning that leads to it.</summary>
public sealed record ReasonedAnswer
{
    /// <summary>The answer as any other: every text with its tags, the seconds heard, the time.</summary>
    public required Answer Answer { get; init; }

    /// <summary>The texts of <see cref="Answer.Candidates"/>, each taken apart.</summary>
    public required IReadOnlyList<Thought> Thoughts { get; init; }

    /// <summary>Which of them had to be asked for their conclusion a second time.</summary>
    public required IReadOnlyList<bool> Resumed { get; init; }

    /// <summary>The best text, tags included.</summary>
    public string Text => Thoughts[0].Text;

    /// <inheritdoc cref="Thought.Summary"/>
    public string? Summary => Thoughts[0].Summary;

    /// <inheritdoc cref="Thought.Caption"/>
    public string? Caption => Thoughts[0].Caption;

    /// <inheritdoc cref="Thought.Reasoning"/>
    public string? Reasoning => Thoughts[0].Reasoning;

    /// <inheritdoc cref="Thought.Conclusion"/>
    public string? Conclusion => Thoughts[0].Conclusion;
}

/// <summary>Asks a chain-of-thought model of Audio Flamingo 2 for its reasoning too.</summary>
/// <remarks>
/// An answer that reasons but does not conclude is continued in a second pass, as in the release: the prompt, the reasoning so far and
/// the beginning of the conclusion are read, and the model writes on.
/// </remarks>
/// <example><code>
/// var thought = flamingo.Think(TaskPrompts.Choose("Where do the bells ring?", ["Church", "School"]), sound);
/// Console.WriteLine($"{thought.Conclusion}, because {thought.Reasoning}");
/// </code></example>
public static class Thinking
{
    /// <summary>Answers a question about a sound, with its reasoning.</summary>
    /// <exception cref="FlamingoException">The question is empty or too long, or the model's prompt format has no form for reasoning.</exception>
    public static ReasonedAnswer Think(
        this Flamingo flamingo, Sound sound, string question, GenerationOptions? options = null, CancellationToken cancellation = default) =>
        flamingo.Think(TaskPrompts.Question(question), sound, options, cancellation);

    /// <summary>Carries out a task on a sound, with its reasoning.</summary>
    /// <exception cref="FlamingoException">The prompt is too long, or the model's prompt format has no form for reasoning.</exception>
    public static ReasonedAnswer Think(
        this Flamingo flamingo, TaskPrompt task, Sound sound, GenerationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(flamingo);
        return flamingo.Think([new Question(flamingo.Config.Prompts.AskToThink(task), sound)], options, cancellation)[0];
    }

    /// <summary>Answers questions together, as one batch, and those without a conclusion once more.</summary>
    /// <param name="flamingo">The model.</param>
    /// <param name="questions">Prompts of <see cref="PromptFormat.AskToThink"/>.</param>
    /// <param name="options">Null takes those of the model, with <see cref="GenerationOptions.ThinkingTokens"/>.</param>
    /// <param name="cancellation">Checked before every token.</param>
    /// <exception cref="FlamingoException">The options contradict themselves, or a prompt does not fit the context.</exception>
    public static IReadOnlyList<ReasonedAnswer> Think(
        this Flamingo flamingo, IReadOnlyList<Question> questions, GenerationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(flamingo);
        return Run(
            questions, options ?? flamingo.Config.Generation with { MaxNewTokens = GenerationOptions.ThinkingTokens },
            (batch, how) => flamingo.Answer(batch, how, cancellation),
            prompt => prompt.Encode(flamingo.Tokenizer).Count < flamingo.Config.Language.MaxPositions);
    }

    /// <summary>The two passes.</summary>
    /// <param name="questions">What is asked.</param>
    /// <param name="options">For both passes.</param>
    /// <param name="answer">Answers a batch.</param>
    /// <param name="fits">Whether the model can read a prompt and still write; where it cannot read a second one, the first answer has to do.</param>
    internal static IReadOnlyList<ReasonedAnswer> Run(
        IReadOnlyList<Question> questions, GenerationOptions options,
        Func<IReadOnlyList<Question>, GenerationOptions, IReadOnlyList<Answer>> answer, Predicate<Prompt> fits)
    {
        var answers = answer(questions, options);
        var timings = answers.Select(a => a.Timing).ToArray();
        var texts = answers.Select(a => a.Candidates.ToArray()).ToArray();
        var resumed = answers.Select(a => new bool[a.Candidates.Count]).ToArray();
        var open = new List<(int Answer, int Candidate, string Start, Question Question)>();
        for (int i = 0; i < answers.Count; i++)
        {
            for (int c = 0; c < texts[i].Length; c++)
            {
                if (Thought.ResumeFrom(texts[i][c].Text) is not { } start)
                    continue;
                var prompt = new Prompt([.. questions[i].Prompt.Parts, new TextPart(start)]);
                if (fits(prompt))
                    open.Add((i, c, start, new Question(prompt, questions[i].Sounds)));
            }
        }
        if (open.Count > 0)
        {
            var again = answer([.. open.Select(o => o.Question)], options with { NumReturnSequences = 1, Seed = answers[0].Seed });
            foreach (var ((i, c, start, _), more) in open.Zip(again))
            {
                var rest = more.Candidates[0];
                texts[i][c] = new AnswerText(start + rest.Text, rest.Finish, texts[i][c].Tokens + rest.Tokens, Score: null);
                resumed[i][c] = true;
                timings[i] = answers[i].Timing + more.Timing;
            }
        }
        return [.. answers.Select((a, i) => new ReasonedAnswer
        {
            Answer = a with { Candidates = texts[i], Timing = timings[i] },
            Thoughts = [.. texts[i].Select(t => Thought.Parse(t.Text))],
            Resumed = resumed[i],
        })];
    }
}
