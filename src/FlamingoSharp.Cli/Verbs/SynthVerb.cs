using System.CommandLine;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using static TorchSharp.torch;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo synth</c>: a model folder with synthetic weights, to test loading and speed at real size.</summary>
internal sealed class SynthVerb : Verb
{
    private readonly Option<string?> _preset =
        PresetOption.Create("af1", "af1-foundation", "af1-chat", "af2-0.5b", "af2-1.5b", "af2-3b", "flamingo-mini", "tiny")!;

    private readonly Option<string?> _config = new("--config") { Description = "A config.json, for a model that is no preset.", HelpName = "FILE" };

    private readonly Option<string> _out = new("--out", "-o") { Description = "The folder to write; must not exist, or be empty.", HelpName = "DIR", Required = true };

    private readonly Option<string?> _tokenizer = new("--tokenizer")
    {
        Description = "Folder of a tokenizer. Default: flamingo-mini's, whose 4,103 tokens fit every preset; a larger model's further ids spell nothing.",
        HelpName = "DIR",
    };

    private readonly Option<ScalarType?> _type = ModelOptions.Type("Element type of the weights: float32 (default), bfloat16 or float16.");

    private readonly Option<bool> _json = new("--json") { Description = "What was written, as one JSON object." };

    public SynthVerb()
        : base("synth", "Write a model folder with synthetic weights: real sizes, no download, no sense in its answers.",
            "flamingo synth --preset tiny --out /tmp/tiny",
            "flamingo synth --preset af2-0.5b --dtype bfloat16 --tokenizer Qwen2.5-0.5B --out /tmp/af2",
            "flamingo synth --preset af1 --dtype bfloat16 --tokenizer opt-iml-max-1.3b --out /tmp/af1")
    {
        Add(_preset);
        Add(_config);
        Add(_out);
        Add(_tokenizer);
        Add(_type);
        Add(_json);
        Validators.Add(command => PresetOption.RequireOne(command, _preset, _config));
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var config = PresetOption.Find(parse, _preset, _config);
        string folder = parse.GetValue(_out)!;
        var (tensors, bytes) = Terminal.Track("Writing weights", bar => SyntheticModel.Write(
            config, folder, parse.GetValue(_tokenizer), parse.GetValue(_type) ?? ScalarType.Float32, bar, cancellation));
        Terminal.Say(parse.GetValue(_json)
            ? JsonSerializer.Serialize(new WrittenLine(folder, config.Name, tensors, bytes, null), CliJson.Lines.WrittenLine)
            : $"{folder}: {config.Name} with {tensors} synthetic tensors, {Quantity.Bytes(bytes)}");
        return Task.FromResult(ExitCode.Ok);
    }
}
