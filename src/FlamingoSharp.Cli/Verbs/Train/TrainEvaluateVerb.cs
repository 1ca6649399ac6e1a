using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train evaluate</c>: scores a mini model on sounds it was not trained on.</summary>
internal sealed class TrainEvaluateVerb : Verb
{
    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl, synthesis.jsonl and qa.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _mels = new("--mels") { Description = "Folder of the spectrograms that 'train mels' made.", HelpName = "DIR", Required = true };

    private readonly Option<string> _model = new("--model") { Description = "The model folder.", HelpName = "DIR", Required = true };

    private readonly Option<string> _split = new("--split") { Description = "Split of the catalogue.", HelpName = "NAME", DefaultValueFactory = _ => "test" };

    private readonly Option<int?> _threads = ModelOptions.Threads();

    public TrainEvaluateVerb()
        : base("evaluate", "Score captions, labels and questions on a held-out split; prints a Markdown table.",
            "flamingo train evaluate --data data --mels work/mels --model models/flamingo-mini")
    {
        foreach (Option option in new Option[] { _data, _mels, _model, _split, _threads })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        ModelOptions.Use(parse.GetValue(_threads));
        var scores = new MiniEvaluation
        {
            CatalogueFolder = parse.GetValue(_data)!,
            MelFolder = parse.GetValue(_mels)!,
            ModelFolder = parse.GetValue(_model)!,
            Split = parse.GetValue(_split)!,
        }.Run(Terminal.Tell, cancellation);
        Console.Write(MiniEvaluation.ToMarkdown(scores));
        return Task.FromResult(ExitCode.Ok);
    }
}
