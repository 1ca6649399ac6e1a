using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Cli.Verbs.Data;

/// <summary><c>flamingo data preview</c>: samples as the model is taught them, with what is learnt of each.</summary>
internal sealed class DataPreviewVerb : Verb
{
    private readonly Argument<string> _path = new("set") { Description = "The data set's folder." };

    private readonly Option<int> _count = new("--count", "-n") { Description = "Samples of each manifest.", HelpName = "N", DefaultValueFactory = _ => 3, Validators = { r => r.AtLeast(1) } };

    private readonly Option<string?> _split = new("--split") { Description = "Only this split.", HelpName = "NAME" };

    private readonly Option<string?> _tokenizer = TokenizerOption.Create("Whose tokens are shown.");

    private readonly Option<int> _seed = new("--seed") { Description = "Another seed shows other samples.", HelpName = "N" };

    private readonly Option<bool> _plain = new("--no-color") { Description = "Put what is learnt into ⟦brackets⟧ instead of colours; so it is without a terminal, too." };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object a sample." };

    public DataPreviewVerb()
        : base("preview", "Show samples as the model will see them; what the loss counts is coloured.",
            "flamingo data preview sets/sounds", "flamingo data preview sets/sounds --split test --count 10 --no-color")
    {
        Add(_path);
        foreach (Option option in new Option[] { _count, _split, _tokenizer, _seed, _plain, _json })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var set = DataSet.Open(parse.GetValue(_path)!);
        var tokenizer = TokenizerOption.Find(parse.GetValue(_tokenizer)) ?? throw new FlamingoException(FlamingoErrorKind.Model,
            "There is no model whose tokens could be shown; name one by --tokenizer.");
        bool colours = Terminal.ColoursAnswers && !parse.GetValue(_plain);
        foreach (var sample in DataSetPreview.Draw(set, tokenizer, parse.GetValue(_count), parse.GetValue(_split), parse.GetValue(_seed)))
        {
            cancellation.ThrowIfCancellationRequested();
            if (parse.GetValue(_json))
                Terminal.Say(JsonSerializer.Serialize(Line(sample), CliJson.Lines.PreviewLine));
            else
                Print(sample, colours);
        }
        return Task.FromResult(ExitCode.Ok);
    }

    private static void Print(PreviewSample sample, bool colours)
    {
        string cut = sample.TokensCut == 0 ? "" : $", {sample.TokensCut} more are cut off";
        Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{sample.Manifest} item {sample.Item}: {sample.Tokens} tokens, {sample.TokensLearnt} learnt{cut}"));
        foreach (var (path, start) in sample.Sounds)
            Terminal.Say(start > 0 ? string.Create(CultureInfo.InvariantCulture, $"  {path} from {start:0.###} s") : $"  {path}");
        if (colours)
            Terminal.Say(sample.Pieces.Select(p => (p.Text, p.IsLearnt ? "green" : "grey")));
        else
            Terminal.Say(string.Concat(sample.Pieces.Select(p => p.IsLearnt ? $"⟦{p.Text}⟧" : p.Text)));
        Terminal.Say("");
    }

    private static PreviewLine Line(PreviewSample sample) => new(
        sample.Manifest, sample.Item, [.. sample.Sounds.Select(s => new PreviewSoundLine(s.Path, s.Start))],
        [.. sample.Pieces.Select(p => new PreviewPieceLine(p.Text, p.IsLearnt))], sample.Tokens, sample.TokensLearnt, sample.TokensCut);
}
