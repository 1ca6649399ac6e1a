using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using static TorchSharp.torch;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo bench</c>: how fast a model is here.</summary>
internal sealed class BenchVerb : Verb
{
    private readonly Option<string?> _preset = PresetOption.Create("tiny", "flamingo-mini", "af1-1.3b", "af2-0.5b", "af2-1.5b", "af2-3b")!;

    private readonly Option<string?> _model = new("--model", "-m") { Description = "A model folder instead of a preset.", HelpName = "DIR" };

    private readonly Option<string> _device = new("--device") { Description = "cpu, cuda or cuda:N.", HelpName = "DEVICE", DefaultValueFactory = _ => "cpu" };

    private readonly Option<ScalarType?> _type = ModelOptions.Type("Element type: float32 (default), bfloat16 or float16. af1-1.3b takes 9 GB in float32, af2-0.5b 4.5 GB.");

    private readonly Option<int?> _threads = ModelOptions.Threads();

    private readonly Option<int> _runs = Number("--runs", 5, "Runs; medians are shown. One more before them is not counted.");

    private readonly Option<int?> _windows = new("--windows")
    {
        Description = "Windows of sound in each run. Default: as many as the model hears; 30 are the 5 minutes of Audio Flamingo 2.",
        HelpName = "N",
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<int> _tokens = Number("--tokens", 64, "Tokens to generate in each run.");

    private readonly Option<int> _promptTokens = Number("--prompt-tokens", 128, "Tokens of the prompt, about.");

    private readonly Option<bool> _json = new("--json") { Description = "The result as one JSON object." };

    public BenchVerb()
        : base("bench", "Measure encoder, prefill and decoding speed, load time and memory.",
            "flamingo bench --preset tiny --json",
            "flamingo bench --preset af1-1.3b --dtype bfloat16 --runs 3",
            "flamingo bench --preset af2-0.5b --windows 30 --runs 1",
            "flamingo bench --model models/flamingo-mini --threads 1")
    {
        foreach (Option option in new Option[] { _preset, _model, _device, _type, _threads, _runs, _windows, _tokens, _promptTokens, _json })
            Add(option);
        Validators.Add(command =>
        {
            if (command.GetResult(_preset) is null == command.GetResult(_model) is null)
                command.AddError("Give either --preset or --model.");
        });
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var type = parse.GetValue(_type) ?? ScalarType.Float32;
        BenchLine line;
        if (parse.GetValue(_model) is { } folder)
            line = Measure(folder);
        else
        {
            var config = PresetOption.Find(parse.GetValue(_preset)!);
            var temporary = Directory.CreateTempSubdirectory("flamingo-bench-");
            try
            {
                string made = Path.Combine(temporary.FullName, config.Name);
                Terminal.Track("Making synthetic weights", bar => SyntheticModel.Write(config, made, null, type, bar, cancellation));
                line = Measure(made);
            }
            finally
            {
                temporary.Delete(recursive: true);
            }
        }
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(line, CliJson.Lines.BenchLine));
        else
            Print(line);
        return Task.FromResult(ExitCode.Ok);

        BenchLine Measure(string folder)
        {
            ModelOptions.Use(parse.GetValue(_threads), folder);
            return new Bench
            {
                Folder = folder,
                Device = parse.GetValue(_device)!,
                Type = type,
                Runs = parse.GetValue(_runs),
                Windows = parse.GetValue(_windows),
                Tokens = parse.GetValue(_tokens),
                PromptTokens = parse.GetValue(_promptTokens),
            }.Run(cancellation);
        }
    }

    private static Option<int> Number(string name, int standard, string description) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => standard,
        Validators = { r => r.AtLeast(1) },
    };

    private static void Print(BenchLine line)
    {
        string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
        new Rows
        {
            { "model", Text($"{line.Model}, {line.Dtype}, {line.Device}, {line.Threads} threads, medians of {line.Runs} runs") },
            { "load", Text($"{line.LoadSeconds:0.00} s") },
            { "encoder", Text($"{line.EncoderMsPerWindow:0.0} ms a window ({line.Windows} windows)") },
            { "prefill", Text($"{line.PrefillTokensPerSecond:0} tokens/s ({line.PromptTokens} tokens)") },
            { "decode", Text($"{line.DecodeTokensPerSecond:0.0} tokens/s ({line.GeneratedTokens} tokens)") },
            { "first token", Text($"{line.TimeToFirstTokenMs:0} ms after {line.SoundSeconds:0.0} s of sound") },
            { "peak memory", Text($"{line.PeakRssMb:0} MB") },
        }.Print();
    }
}
