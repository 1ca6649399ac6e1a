using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Embeddings;
using FlamingoSharp.Models;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo inspect</c>: what a model folder or checkpoint holds, without loading it.</summary>
internal sealed class InspectVerb : Verb
{
    private readonly Argument<string[]> _paths = new("MODEL|CHECKPOINT")
    {
        Description = "A model folder, ORG/NAME of a pulled model, or the files of a checkpoint. Default: the model that caption would use.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<bool> _tensors = new("--tensors") { Description = "List every tensor." };

    private readonly Option<bool> _json = new("--json") { Description = "The summary as one JSON object." };

    public InspectVerb()
        : base("inspect", "Show configuration, parameters, element types, memory and limits.",
            "flamingo inspect models/flamingo-mini",
            "flamingo inspect foundation.pt --tensors",
            "flamingo inspect clapcap_weights_2023.pth --json")
    {
        Add(_paths);
        Add(_tensors);
        Add(_json);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string[] paths = parse.GetValue(_paths)!;
        if (paths.Length <= 1)
            paths = [ModelLocator.Locate(paths.FirstOrDefault())];
        bool model = paths is [var only] && !IsCheckpoint(only);
        string file = Path.Combine(paths[0], "config.json");
        var clap = model && File.Exists(file) && ClapConfig.Describes(file) ? ClapConfig.Load(file) : null;
        var config = model && clap is null ? FlamingoConfig.Load(ModelFolder.Open(paths[0]).ConfigPath) : null;
        using var source = Checkpoint.Open(paths);
        var line = Summary(string.Join(", ", paths), config, source) with { Name = config?.Name ?? clap?.Name };
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(line, CliJson.Lines.InspectLine));
        else
            Print(line, config?.ToJson() ?? clap?.ToJson(), source, parse.GetValue(_tensors));
        return Task.FromResult(ExitCode.Ok);
    }

    // A folder without a configuration of ours may still be a checkpoint in parts; one without either is told to be no model.
    private static bool IsCheckpoint(string path)
    {
        if (!Directory.Exists(path))
            return File.Exists(path);
        string config = Path.Combine(path, "config.json");
        return File.Exists(config) ? IsHuggingFace(config) : Directory.EnumerateFileSystemEntries(path).Any();
    }

    private static bool IsHuggingFace(string config)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(config));
            return json.RootElement.TryGetProperty("model_type", out _);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false; // what is wrong with it is said when it is read as ours
        }
    }

    private static InspectLine Summary(string path, FlamingoConfig? config, IWeightSource source)
    {
        var parts = source.Weights.Values.GroupBy(w => PartOf(NameMap.Canonical(w.Name) ?? w.Name))
            .Select(g => new PartLine(g.Key, g.Count(), g.Sum(w => w.Count), g.Sum(BytesOf))).ToList();
        return new InspectLine
        {
            Path = path,
            Parts = parts,
            Parameters = parts.Sum(p => p.Parameters),
            Bytes = parts.Sum(p => p.Bytes),
            Dtypes = source.Weights.Values.GroupBy(w => ModelOptions.NameOf(w.Type)).ToDictionary(g => g.Key, g => g.Count()),
            Limits = config is null ? null : new LimitsLine
            {
                SecondsPerSound = Math.Round(config.MaxSeconds, 3),
                SampleRate = config.Windows.SampleRate,
                WindowsPerSound = config.Windows.MaxWindows,
                SoundSlots = config.Windows.Slots,
                ContextTokens = config.Language.MaxPositions,
                VocabularySize = config.Language.VocabularySize,
                PromptFormat = config.PromptFormatName,
            },
        };
    }

    private static void Print(InspectLine line, string? config, IWeightSource source, bool tensors)
    {
        Terminal.Say(line.Name is null ? $"checkpoint {line.Path}" : $"{line.Name} in {line.Path}");
        int width = line.Parts.Max(p => p.Part.Length);
        foreach (var part in line.Parts)
            Terminal.Say($"  {part.Part.PadRight(width)}  {Quantity.Count(part.Parameters)} parameters in {part.Tensors} tensors, {Quantity.Bytes(part.Bytes)}");
        var rows = new Rows
        {
            { "parameters", Quantity.Count(line.Parameters) },
            { "element types", string.Join(", ", line.Dtypes.Select(d => $"{d.Key} ({d.Value} tensors)")) },
            { "stored", Quantity.Bytes(line.Bytes) },
        };
        if (line.Limits is { } limits)
        {
            rows.Add("memory", $"{Quantity.Bytes(line.Parameters * 4)} in float32, {Quantity.Bytes(line.Parameters * 2)} in bfloat16 or float16");
            rows.Add("longest sound", string.Create(CultureInfo.InvariantCulture,
                $"{limits.SecondsPerSound:0.##} s ({limits.WindowsPerSound} windows at {limits.SampleRate} Hz), {limits.SoundSlots} a prompt"));
            rows.Add("context", string.Create(CultureInfo.InvariantCulture, $"{limits.ContextTokens} tokens, prompt and answer together"));
            rows.Add("vocabulary", string.Create(CultureInfo.InvariantCulture, $"{limits.VocabularySize} tokens"));
            rows.Add("prompt format", limits.PromptFormat);
        }
        rows.Print();
        if (config is not null)
            Terminal.Say($"configuration\n{config}");
        if (tensors)
        {
            foreach (var weight in source.Weights.Values)
                Terminal.Say($"{weight.Name}  [{string.Join(", ", weight.Shape)}]  {ModelOptions.NameOf(weight.Type)}");
        }
    }

    private static string PartOf(string name) => ModelParts.Of(name) switch
    {
        ModelPart.CrossAttention => "gated cross-attention",
        ModelPart.Language => "language model",
        ModelPart.AudioTransformer => "audio transformer",
        ModelPart.Encoder => "audio encoder",
        _ => name.Split('.')[0],
    };

    private static long BytesOf(WeightInfo weight) => weight.Count * weight.Type switch
    {
        TorchSharp.torch.ScalarType.Float64 or TorchSharp.torch.ScalarType.Int64 => 8,
        TorchSharp.torch.ScalarType.Float32 or TorchSharp.torch.ScalarType.Int32 => 4,
        TorchSharp.torch.ScalarType.Float16 or TorchSharp.torch.ScalarType.BFloat16 or TorchSharp.torch.ScalarType.Int16 => 2,
        _ => 1,
    };
}
