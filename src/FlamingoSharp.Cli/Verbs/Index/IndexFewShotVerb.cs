using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Retrieval;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index few-shot</c>: what examples from an index are worth to a model.</summary>
internal sealed class IndexFewShotVerb : Verb
{
    private readonly Argument<string> _index = IndexOptions.Index();

    private readonly Option<string> _shots = new("--shots")
    {
        Description = $"Numbers of examples, with commas between, each up to {FewShot.MaxShots}.",
        HelpName = "N,N",
        DefaultValueFactory = _ => "0,1,4,8",
    };

    private readonly Option<string[]> _queries = new("--queries")
    {
        Description = "Sounds to ask about: folders of class folders, data sets or manifests. Default: each sound of the index, with the others as its examples.",
        HelpName = "DIR",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string?> _split = new("--split") { Description = "Of a data set in --queries only this split.", HelpName = "NAME" };

    private readonly Option<int?> _limit = new("--limit") { Description = "Sounds asked about at most, evenly spaced.", HelpName = "N", Validators = { r => r.AtLeast(1) } };

    private readonly Option<string> _question = new("--question") { Description = "What is asked of each sound.", HelpName = "TEXT", DefaultValueFactory = _ => "What sound is this?" };

    private readonly Option<string> _wording = new("--wording")
    {
        Description = "How it is asked: as 'flamingo ask' does, as 'flamingo classify' does (which lists the labels), or plainly, in the words of --question alone.",
        HelpName = "ask|classify|plain",
        DefaultValueFactory = _ => "ask",
    };

    private readonly Option<int> _seed = new("--seed") { Description = "Seed of the random examples.", HelpName = "N", DefaultValueFactory = _ => 1 };

    private readonly Option<int> _batch = new("--batch") { Description = "Questions answered together.", HelpName = "N", DefaultValueFactory = _ => 16, Validators = { r => r.AtLeast(1) } };

    private readonly Option<string?> _out = new("--out", "-o") { Description = "Also write the table to a Markdown file.", HelpName = "FILE" };

    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object." };

    private readonly GroupOptions _groups = new();
    private readonly ModelOptions _model = new();
    private readonly IndexOptions _encoder = new();

    public IndexFewShotVerb()
        : base("few-shot", "Measure what examples from an index are worth to a model: the same sounds without examples, with similar ones, with random ones, and the vote of the nearest alone.",
            "flamingo index few-shot birds.db",
            "flamingo index few-shot birds.db --queries new-birds --shots 0,4 --model models/af1-foundation --json",
            "flamingo index few-shot birds.db --group-by \"take-(\\d+)\" --limit 200 --out few-shot.md")
    {
        _wording.AcceptOnlyFromAmong("ask", "classify", "plain");
        Add(_index);
        foreach (Option option in new Option[] { _shots, _queries, _split, _limit, _question, _wording, _seed, _batch, _out, _json })
            Add(option);
        _groups.AddTo(this);
        _model.AddTo(this);
        _encoder.AddTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var options = new FewShotOptions
        {
            Shots = Numbers(parse.GetValue(_shots)!),
            Task = TaskOf(parse),
            Seed = parse.GetValue(_seed),
            GroupOf = _groups.Read(parse),
            Limit = parse.GetValue(_limit),
            Batch = parse.GetValue(_batch),
        };
        var queries = parse.GetValue(_queries) is { Length: > 0 } sources ? IndexSources.Find(sources, parse.GetValue(_split), []) : null;
        using var flamingo = _model.Load(parse);
        using var embedder = _encoder.Open(parse, _model, flamingo);
        using var index = await SoundIndex.OpenAsync(parse.GetValue(_index)!, embedder, readOnly: true, cancellation).ConfigureAwait(false);
        var report = await Terminal.Track("Asking", bar => new FewShotEvaluation(flamingo, index, options).RunAsync(
            queries, new CallbackProgress<double>(bar), cancellation)).ConfigureAwait(false);
        if (parse.GetValue(_out) is { } path)
            FewShotMarkdown.Write(path, report);
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(report, EvaluationJson.Lines.FewShotReport));
        else
            Terminal.SayPart(FewShotMarkdown.Of(report));
        if (report.LeftOut > 0)
            Terminal.Note($"{report.LeftOut} sounds were not asked about: no other sound of the index has their label.");
        foreach (var failure in report.Failures)
            Terminal.Fail(failure.Reason);
        return report.Failures.Count > 0 ? ExitCode.Input : ExitCode.Ok;
    }

    private Func<IReadOnlyList<string>, TaskPrompt> TaskOf(ParseResult parse)
    {
        string question = parse.GetValue(_question)!;
        var asked = TaskPrompts.Question(question);
        return parse.GetValue(_wording) switch
        {
            "classify" => labels => TaskPrompts.Classify(labels, question),
            "plain" => _ => asked with { Prompt = question },
            _ => _ => asked,
        };
    }

    private static int[] Numbers(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return [.. parts.Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : throw new FlamingoException(
            FlamingoErrorKind.Usage, $"--shots is '{text}'; expected numbers with commas between, such as 0,1,4,8."))];
    }
}
