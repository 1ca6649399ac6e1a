using System.CommandLine;
using System.CommandLine.Parsing;
using FlamingoSharp.Training.Distributed;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Cli.Options;

/// <summary>Which model, on which device, in which element type.</summary>
internal sealed class ModelOptions
{
    private const long LongLoad = 200L << 20; // bytes; below this no bar is worth its flicker

    private readonly Option<string?> _model = new("--model", "-m")
    {
        Description = $"Model folder, or ORG/NAME[@REVISION] of a model that was pulled. Default: ${ModelLocator.Variable}, else models/flamingo-mini beside this program or above the current folder.",
        HelpName = "MODEL",
    };

    private readonly Option<string> _device = new("--device")
    {
        Description = "cpu, cuda or cuda:N.",
        HelpName = "DEVICE",
        DefaultValueFactory = _ => "cpu",
    };

    private readonly Option<ScalarType?> _type = Type("Element type of weights and activations: float32 (default), bfloat16 or float16.");

    private readonly Option<int?> _windows = new("--max-windows")
    {
        Description = "Windows of a sound to hear at most, if not as many as the model says: 30 are 5 minutes for Audio Flamingo 2.",
        HelpName = "N",
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<int?> _threads = Threads();

    /// <summary>An option <c>--dtype</c>.</summary>
    public static Option<ScalarType?> Type(string description) => new("--dtype")
    {
        Description = description,
        HelpName = "TYPE",
        CustomParser = result => Parse(result.Tokens[0].Value, result),
    };

    /// <summary>An option <c>--threads</c>.</summary>
    public static Option<int?> Threads() => new("--threads")
    {
        Description = "Processor threads. Default: one a core.",
        HelpName = "N",
        Validators = { r => r.AtLeast(1) },
    };

    /// <summary>The name that people use of a type.</summary>
    public static string NameOf(ScalarType type) => type.ToString().ToLowerInvariant();

    public void AddTo(Command command)
    {
        command.Add(_model);
        command.Add(_device);
        command.Add(_type);
        command.Add(_windows);
        command.Add(_threads);
    }

    public string DeviceOf(ParseResult parse) => parse.GetValue(_device)!;

    public ScalarType TypeOf(ParseResult parse) => parse.GetValue(_type) ?? ScalarType.Float32;

    /// <summary>The model as it was named, if it was.</summary>
    public string? NamedIn(ParseResult parse) => parse.GetValue(_model);

    /// <summary>How it is loaded.</summary>
    public FlamingoLoadOptions LoadOptions(ParseResult parse) =>
        new() { Device = DeviceOf(parse), Type = TypeOf(parse), MaxWindows = parse.GetValue(_windows) };

    /// <summary>Sets the number of torch's threads, if one is given.</summary>
    public void UseThreads(ParseResult parse) => Use(parse.GetValue(_threads));

    /// <summary>The model's folder.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public string FolderOf(ParseResult parse) => ModelLocator.Locate(parse.GetValue(_model));

    /// <summary>Loads the model, with a bar if that takes long.</summary>
    /// <exception cref="FlamingoException">There is none, or it cannot be loaded.</exception>
    public Flamingo Load(ParseResult parse)
    {
        string folder = FolderOf(parse);
        var options = LoadOptions(parse);
        Use(parse.GetValue(_threads), folder);
        long bytes = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.safetensors").Sum(Length) : 0;
        return bytes < LongLoad
            ? Flamingo.Load(folder, options)
            : Terminal.Track("Loading the model", bar =>
                Flamingo.Load(folder, options, new CallbackProgress<WeightProgress>(p => bar((double)p.BytesDone / Math.Max(1, p.BytesTotal)))));
    }

    /// <summary>The number of threads that someone has decided on: by the option, by OMP_NUM_THREADS, or because processes share the cores.</summary>
    public static int? ThreadsAskedFor(int? option)
    {
        string? variable = Environment.GetEnvironmentVariable("OMP_NUM_THREADS");
        return option ?? MpiLaunch.Current?.Threads(Environment.ProcessorCount, variable) ?? (int.TryParse(variable, out int count) ? count : null);
    }

    /// <summary>Sets the number of torch's threads, if one is given or processes share the cores.</summary>
    public static void Use(int? threads, string? modelFolder = null)
    {
        threads ??= MpiLaunch.Current?.Threads(Environment.ProcessorCount, Environment.GetEnvironmentVariable("OMP_NUM_THREADS"));
        if (threads is not { } count)
            return;
        if (modelFolder is not null)
            ModelFolder.Open(modelFolder); // a wrong folder is said before half a gigabyte of libraries is loaded
        Runtime.NativeRuntime.EnsureLoaded();
        set_num_threads(count);
    }

    // Of the file itself, where the cache of pulled models has a link.
    private static long Length(string path) =>
        (File.ResolveLinkTarget(path, returnFinalTarget: true) as FileInfo ?? new FileInfo(path)) is { Exists: true } file ? file.Length : 0;

    private static ScalarType? Parse(string text, ArgumentResult result)
    {
        switch (text.ToLowerInvariant())
        {
            case "float32" or "fp32" or "f32":
                return ScalarType.Float32;
            case "bfloat16" or "bf16":
                return ScalarType.BFloat16;
            case "float16" or "fp16" or "f16" or "half":
                return ScalarType.Float16;
            default:
                result.AddError($"There is no element type '{text}'. Use float32, bfloat16 or float16.");
                return null;
        }
    }
}
