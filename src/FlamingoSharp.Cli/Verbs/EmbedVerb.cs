using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Embeddings;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo embed</c>: sounds and texts as vectors of one space.</summary>
internal sealed class EmbedVerb : Verb
{
    private readonly Argument<string[]> _files = new("FILE") { Description = "Sound files of any format; * ? and ** match several.", Arity = ArgumentArity.ZeroOrMore };

    private readonly Option<string[]> _texts = new("--text", "-t") { Description = "A text to embed beside the files; may be given several times.", HelpName = "TEXT" };

    private readonly Option<string?> _model = ClapOptions.Model("--model", "-m");

    private readonly Option<string?> _tokenizer = ClapOptions.Tokenizer();

    private readonly Option<string> _device = new("--device") { Description = "cpu, cuda or cuda:N.", HelpName = "DEVICE", DefaultValueFactory = _ => "cpu" };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object an embedding, each on its line." };

    private readonly Option<string?> _out = new("--out", "-o")
    {
        Description = "Store them instead: .safetensors, one tensor for each file and text, or .npy, one matrix in their order.",
        HelpName = "FILE",
    };

    private readonly Option<int?> _threads = ModelOptions.Threads();

    private readonly HearingOptions _hearing = new();

    public EmbedVerb()
        : base("embed", "Turn sounds and texts into vectors that lie close where they mean the same.",
            "flamingo embed samples/rain.wav --text \"heavy rain\" --json",
            "flamingo embed \"sounds/**/*.flac\" --out sounds.safetensors",
            "flamingo embed dog.wav --model 630k-audioset-fusion-best.pt")
    {
        Add(_files);
        foreach (Option option in new Option[] { _texts, _model, _tokenizer, _device, _json, _out, _threads })
            Add(option);
        _hearing.AddTo(this);
        Validators.Add(command =>
        {
            if ((command.GetValue(_files) ?? []).Length + (command.GetValue(_texts) ?? []).Length == 0)
                command.AddError("Give sound files, or texts by --text.");
            if (command.GetValue(_json) && command.GetValue(_out) is not null)
                command.AddError("--json prints and --out stores; give one of them.");
        });
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string? store = parse.GetValue(_out);
        if (store is not null)
            EmbeddingFile.CheckEnding(store);
        ModelOptions.Use(parse.GetValue(_threads));
        using var clap = ClapOptions.Load(parse.GetValue(_model), parse.GetValue(_tokenizer), parse.GetValue(_device)!);
        bool json = parse.GetValue(_json);
        var items = new List<(string Name, float[] Vector)>();
        var (start, duration) = _hearing.PartOf(parse);
        string[] texts = parse.GetValue(_texts) ?? [];
        var textVectors = texts.Length > 0 ? clap.EmbedTexts(texts, cancellation) : []; // a model that does not read says so before it hears
        int code = ClapRun.Each(InputFiles.Expand(parse.GetValue(_files) ?? []), clap, start, duration, (file, sound) =>
            Give(Line(clap, sound.Vector) with
            {
                File = file,
                Windows = sound.Windows,
                SecondsHeard = Math.Round(sound.SecondsHeard, 3),
                SecondsDropped = Math.Round(sound.SecondsDropped, 3),
                Warnings = sound.Warnings,
            }), cancellation);
        for (int i = 0; i < texts.Length; i++)
            Give(Line(clap, textVectors[i]) with { Text = texts[i] });
        if (store is not null && items.Count > 0)
        {
            EmbeddingFile.Write(store, items);
            Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{store}: {items.Count} embeddings of {clap.Dimensions} dimensions"));
        }
        return Task.FromResult(code);

        void Give(EmbeddingLine line)
        {
            string name = line.File ?? line.Text!;
            if (store is not null)
                items.Add((name, [.. line.Embedding]));
            else
                Terminal.Say(json ? JsonSerializer.Serialize(line, CliJson.Lines.EmbeddingLine) : $"{name}\t{string.Join(' ', line.Embedding.Select(v => v.ToString("0.######", CultureInfo.InvariantCulture)))}");
        }
    }

    private static EmbeddingLine Line(ClapModel clap, float[] vector) =>
        new() { Embedding = vector, Dimensions = vector.Length, Model = clap.Config.Name, WeightsHash = clap.WeightsHash };
}
