using System.CommandLine;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Cli.Options;

/// <summary>How an answer is generated.</summary>
internal sealed class AnsweringOptions
{
    private static readonly GenerationOptions s_default = GenerationOptions.Greedy;

    private readonly Option<int> _maxTokens = new("--max-tokens")
    {
        Description = "Longest answer, in tokens.",
        HelpName = "N",
        DefaultValueFactory = _ => s_default.MaxNewTokens,
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<int> _beams = new("--beams")
    {
        Description = "Search this many beams instead of taking the likeliest token each time.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<bool> _sample = new("--sample") { Description = "Draw tokens at random; --temperature, --top-k, --top-p and --seed need it." };

    private readonly Option<double?> _temperature = new("--temperature") { Description = "Below 1 sharpens, above 1 flattens. Default: 1.", HelpName = "T" };

    private readonly Option<int?> _topK = new("--top-k") { Description = "Draw among the K likeliest tokens; 0 for all. Default: 50.", HelpName = "K" };

    private readonly Option<double?> _topP = new("--top-p") { Description = "Draw among the likeliest tokens that make up this share. Default: 1.", HelpName = "P" };

    private readonly Option<long?> _seed = new("--seed") { Description = "Repeats the same draws. Default: a fresh one, which --json reports.", HelpName = "N" };

    private readonly Option<int> _candidates = new("--candidates")
    {
        Description = "Answers per question; needs --sample or --beams.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
        Validators = { r => r.AtLeast(1) },
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _maxTokens, _beams, _sample, _temperature, _topK, _topP, _seed, _candidates })
            command.Add(option);
    }

    /// <summary>The options, checked against each other.</summary>
    /// <exception cref="FlamingoException">They contradict themselves.</exception>
    public GenerationOptions Read(ParseResult parse)
    {
        bool sample = parse.GetValue(_sample);
        foreach (Option option in new Option[] { _temperature, _topK, _topP, _seed })
        {
            if (!sample && parse.GetResult(option) is { Implicit: false })
                throw new FlamingoException(FlamingoErrorKind.Usage, $"{option.Name} has no effect without --sample; add it, or leave {option.Name} out.");
        }
        int candidates = parse.GetValue(_candidates);
        var options = s_default with
        {
            MaxNewTokens = parse.GetValue(_maxTokens),
            NumBeams = parse.GetValue(_beams),
            Sample = sample,
            Temperature = parse.GetValue(_temperature) ?? s_default.Temperature,
            TopK = parse.GetValue(_topK) ?? s_default.TopK,
            TopP = parse.GetValue(_topP) ?? s_default.TopP,
            Seed = parse.GetValue(_seed),
            NumReturnSequences = candidates,
            LogProbabilities = candidates > 1,
        };
        options.Validate();
        return options;
    }
}
