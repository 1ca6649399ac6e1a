using System.CommandLine;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Cli.Options;

/// <summary>How an answer is generated.</summary>
internal sealed class AnsweringOptions
{
    private const int Reranked = 10; // answers that the demo of Audio Flamingo 1 draws to choose from

    private readonly Option<int?> _maxTokens = new("--max-tokens")
    {
        Description = "Longest answer, in tokens. Default: the model's, 128 for Audio Flamingo 1, 256 for 2, 1024 with reasoning.",
        HelpName = "N",
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

    private readonly Option<int?> _topK = new("--top-k") { Description = "Draw among the K likeliest tokens; 0 for all. Default: the model's, 50 or 30.", HelpName = "K" };

    private readonly Option<double?> _topP = new("--top-p") { Description = "Draw among the likeliest tokens that make up this share. Default: the model's, 1 or 0.95.", HelpName = "P" };

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

    /// <summary>The first option given that only a generated answer heeds; a longest answer is no contradiction to a given one.</summary>
    public string? OfGeneration(ParseResult parse) =>
        new Option[] { _beams, _sample, _temperature, _topK, _topP, _seed, _candidates }.FirstOrDefault(o => parse.GetResult(o) is { Implicit: false })?.Name;

    /// <summary>The options, checked against each other.</summary>
    /// <param name="parse">The command line.</param> <param name="defaults">The model's own; null to check alone, before a model is loaded.</param>
    /// <param name="rerank">True draws several answers, also where that is not said.</param>
    /// <exception cref="FlamingoException">They contradict themselves.</exception>
    public GenerationOptions Read(ParseResult parse, GenerationOptions? defaults = null, bool rerank = false)
    {
        defaults ??= GenerationOptions.Greedy;
        bool sample = parse.GetValue(_sample) || (rerank && parse.GetValue(_beams) == 1);
        foreach (Option option in new Option[] { _temperature, _topK, _topP, _seed })
        {
            if (!sample && parse.GetResult(option) is { Implicit: false })
                throw new FlamingoException(FlamingoErrorKind.Usage, $"{option.Name} has no effect without --sample; add it, or leave {option.Name} out.");
        }
        int candidates = rerank && parse.GetResult(_candidates) is not { Implicit: false } ? Reranked : parse.GetValue(_candidates);
        var options = defaults with
        {
            MaxNewTokens = parse.GetValue(_maxTokens) ?? defaults.MaxNewTokens,
            NumBeams = parse.GetValue(_beams),
            Sample = sample,
            Temperature = parse.GetValue(_temperature) ?? defaults.Temperature,
            TopK = parse.GetValue(_topK) ?? defaults.TopK,
            TopP = parse.GetValue(_topP) ?? defaults.TopP,
            Seed = parse.GetValue(_seed),
            NumReturnSequences = candidates,
            LogProbabilities = candidates > 1,
        };
        options.Validate(Switch);
        return options;
    }

    // What the user wrote.
    private string Switch(string option) => option switch
    {
        nameof(GenerationOptions.MaxNewTokens) => _maxTokens.Name,
        nameof(GenerationOptions.NumBeams) => _beams.Name,
        nameof(GenerationOptions.NumReturnSequences) => _candidates.Name,
        nameof(GenerationOptions.Temperature) => _temperature.Name,
        nameof(GenerationOptions.TopK) => _topK.Name,
        nameof(GenerationOptions.TopP) => _topP.Name,
        _ => option,
    };
}
