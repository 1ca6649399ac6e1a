using System.CommandLine;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo convert</c>: published checkpoints to one model folder.</summary>
internal sealed class ConvertVerb : Verb
{
    private readonly Option<string[]> _checkpoint = new("--checkpoint", "-c")
    {
        Description = "The Audio Flamingo checkpoint: a file or folder (for Audio Flamingo 2 that with safe_ckpt and clap_ckpt), or its parts in order.",
        HelpName = "PATH",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string?> _clap = new("--clap") { Description = "The audio encoder's file; not needed if the checkpoint holds it.", HelpName = "FILE" };

    private readonly Option<string?> _language = new("--language-model")
    {
        Description = "Hugging Face folder of the plain language model, where the checkpoint holds only what was trained of it (Audio Flamingo 2).",
        HelpName = "DIR",
    };

    private readonly Option<string?> _tokenizer = new("--tokenizer")
    {
        Description = "Folder with tokenizer.json, or vocab.json and merges.txt. Default: that of the language model.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _preset =
        PresetOption.Create("af1-foundation", "af1-chat", "af2-0.5b", "af2-1.5b", "af2-3b", "flamingo-mini", "tiny")!;

    private readonly Option<string?> _config = new("--config") { Description = "A config.json, for a model that is no preset.", HelpName = "FILE" };

    private readonly Option<ScalarType?> _type = ModelOptions.Type("Element type to convert to: float32, bfloat16 or float16. Default: as stored.");

    private readonly Option<string> _out = new("--out", "-o") { Description = "The folder to write; must not exist, or be empty.", HelpName = "DIR", Required = true };

    private readonly Option<bool> _json = new("--json") { Description = "What was written, as one JSON object." };

    public ConvertVerb()
        : base("convert", "Merge published checkpoints into one model folder.",
            "flamingo convert --checkpoint audio-flamingo-2 --language-model Qwen2.5-3B --preset af2-3b --dtype bfloat16 --out af2-3b",
            "flamingo convert --checkpoint foundation.pt --clap clapcap_weights_2023.pth --tokenizer opt-iml-max-1.3b --preset af1-foundation --dtype bfloat16 --out af1",
            "flamingo convert --checkpoint part1.pt part2.pt part3.pt --clap clapcap_weights_2023.pth --tokenizer opt-iml-max-1.3b --preset af1-chat --out af1-chat")
    {
        foreach (Option option in new Option[] { _checkpoint, _clap, _language, _tokenizer, _preset, _config, _type, _out, _json })
            Add(option);
        Validators.Add(command =>
        {
            PresetOption.RequireOne(command, _preset, _config);
            if (command.GetResult(_tokenizer) is null && command.GetResult(_language) is null)
                command.AddError("Give the tokenizer by --tokenizer, or a language model that has one by --language-model.");
        });
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var config = PresetOption.Find(parse, _preset, _config);
        string? language = parse.GetValue(_language);
        string tokenizer = parse.GetValue(_tokenizer) ?? language!, folder = parse.GetValue(_out)!;
        int size = Tokenizer.Load(tokenizer).VocabularySize;
        if (size > config.Language.VocabularySize)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{tokenizer}' has {size} tokens but {config.Name} has only {config.Language.VocabularySize} rows. Name the tokenizer of the checkpoint's own language model.");
        }
        var result = Terminal.Track("Converting", bar => Conversion.Run(new ConversionRequest
        {
            Checkpoint = parse.GetValue(_checkpoint)!,
            Encoder = parse.GetValue(_clap),
            LanguageModel = language,
            VocabularySize = config.Language.VocabularySize,
            TokenizerFolder = tokenizer,
            Config = config.ToJson(),
            Output = folder,
            Type = parse.GetValue(_type),
            Check = config.CheckWeights,
            Progress = new CallbackProgress<WeightProgress>(p => bar((double)p.BytesDone / Math.Max(1, p.BytesTotal))),
        }, cancellation));
        long bytes = Directory.EnumerateFiles(folder).Sum(f => new FileInfo(f).Length);
        Terminal.Say(parse.GetValue(_json)
            ? JsonSerializer.Serialize(new WrittenLine(folder, config.Name, result.Tensors, bytes, result.Ignored), CliJson.Lines.WrittenLine)
            : $"{folder}: {config.Name} with {result.Tensors} tensors, {Quantity.Bytes(bytes)}; {result.Ignored.Count} tensors of the checkpoint are no part of the model");
        return Task.FromResult(ExitCode.Ok);
    }
}
