using System.CommandLine;

namespace FlamingoSharp.Cli.Options;

/// <summary>How one of given answers is chosen, by verbs that are given some.</summary>
internal sealed class ChoosingOptions
{
    private readonly Option<bool> _generate = new("--generate")
    {
        Description = "Let the model answer freely and match its words with the answers given, as the reference does. Default: take the answer that the model finds likeliest.",
    };

    private readonly Option<bool> _showScores = new("--show-scores") { Description = "Also print how probable each of the answers is." };

    private readonly Option<bool> _unlisted = new("--unlisted") { Description = "Do not list the answers in the prompt." };

    private readonly Option<string> _score = new("--score")
    {
        Description = "Compare answers by the sum of their tokens' log-probabilities, or by the mean.",
        HelpName = "sum|mean",
        DefaultValueFactory = _ => "sum",
    };

    public void AddTo(Command command)
    {
        _score.AcceptOnlyFromAmong("sum", "mean");
        foreach (Option option in new Option[] { _generate, _showScores, _unlisted, _score })
            command.Add(option);
    }

    /// <summary>Whether the prompt lists the answers.</summary>
    public bool Listed(ParseResult parse) => !parse.GetValue(_unlisted);

    /// <summary>Whether the probabilities of all answers are printed.</summary>
    public bool ShowScores(ParseResult parse) => parse.GetValue(_showScores);

    /// <summary>How the answer is chosen; null where it is generated.</summary>
    /// <param name="parse">The command line.</param> <param name="free">Why there is nothing to choose from; null where there is.</param>
    /// <param name="think">Whether the model is to reason first, which it does in words.</param>
    /// <param name="answering">What only generation heeds.</param>
    /// <exception cref="FlamingoException">The options contradict each other.</exception>
    public ChoiceOptions? Read(ParseResult parse, string? free, bool think, AnsweringOptions answering)
    {
        bool generate = parse.GetValue(_generate);
        string? why = free ?? (generate ? "with --generate" : think ? "with --think" : null);
        if (why is null)
        {
            if (answering.OfGeneration(parse) is { } useless)
                throw new FlamingoException(FlamingoErrorKind.Usage, $"{useless} has no effect where the likeliest of the given answers is taken; add --generate, or leave {useless} out.");
            return new ChoiceOptions { Score = parse.GetValue(_score) == "mean" ? ChoiceScore.MeanPerToken : ChoiceScore.Sum };
        }
        Option[] idle = free is null ? [_showScores, _score] : [_generate, _showScores, _unlisted, _score];
        foreach (var option in idle)
        {
            if (parse.GetResult(option) is { Implicit: false })
                throw new FlamingoException(FlamingoErrorKind.Usage, $"{option.Name} has no effect {why}; leave it out.");
        }
        return null;
    }
}
