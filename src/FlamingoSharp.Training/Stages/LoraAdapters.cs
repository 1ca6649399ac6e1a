using FlamingoSharp.Models;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>The adapters of a model, by the names of the matrices that they adapt.</summary>
/// <remarks>In files an adapter is <c>NAME.lora_A.weight</c> [r, i] and <c>NAME.lora_B.weight</c> [o, r], as PEFT names them.</remarks>
internal sealed class LoraAdapters
{
    /// <summary>The file beside a model whose adapters were trained.</summary>
    public const string FileName = "adapters.safetensors";

    private readonly List<(string Layer, LoraKernel Kernel)> _adapters;

    private LoraAdapters(List<(string, LoraKernel)> adapters) => _adapters = adapters;

    /// <summary>What learns.</summary>
    public IReadOnlyList<(string Name, Parameter Parameter)> Parameters =>
        [.. _adapters.SelectMany(a => new[] { (DownName(a.Layer), a.Kernel.Down), (UpName(a.Layer), a.Kernel.Up) })];

    /// <summary>Gives the language model's matrices of these names adapters, which the layers own.</summary>
    /// <exception cref="FlamingoException">No matrix has such a name.</exception>
    public static LoraAdapters Attach(FlamingoModel model, LoraOptions options, long seed)
    {
        var adapters = new List<(string, LoraKernel)>();
        var layers = model.named_modules().Where(m => m.module is LinearLayer && m.name.StartsWith("lang_encoder.", StringComparison.Ordinal)).ToList();
        foreach (var (name, module) in layers.Where(l => options.Targets.Any(t => l.name.EndsWith("." + t, StringComparison.Ordinal))))
        {
            var layer = (LinearLayer)module;
            var kernel = new LoraKernel(layer, options, SplitMix.For(name, (ulong)seed));
            layer.UseKernel(kernel, keepWeight: true);
            adapters.Add((name, kernel));
        }
        if (adapters.Count == 0)
        {
            var known = layers.Select(l => l.name[(l.name.LastIndexOf('.') + 1)..]).Distinct(StringComparer.Ordinal);
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"lora_config.targets is '{string.Join(",", options.Targets)}', but the language model has no such matrices; it has {string.Join(", ", known)}.");
        }
        return new LoraAdapters(adapters);
    }

    /// <summary>The adapted matrices as if they had been trained themselves, by checkpoint name.</summary>
    public IEnumerable<(string Name, Func<Tensor> Read)> Merged() => _adapters.Select(a => ($"{a.Layer}.weight", (Func<Tensor>)a.Kernel.Merged));

    /// <summary>Writes the adapters alone.</summary>
    public void Save(string path)
    {
        using var learned = new LearnedWeights(Parameters.Select(p => (p.Name, (Tensor)p.Parameter)));
        SafeTensorsWriter.WriteFile(path, learned);
    }

    /// <summary>Reads adapters that <see cref="Save"/> wrote for the same model and options.</summary>
    /// <exception cref="FlamingoException">The file holds others.</exception>
    public void Load(string path)
    {
        using var source = Checkpoint.Open(path);
        using var quiet = no_grad();
        foreach (var (name, parameter) in Parameters)
        {
            if (!source.Weights.TryGetValue(name, out var info) || !info.Shape.SequenceEqual(parameter.shape))
            {
                throw new FlamingoException(FlamingoErrorKind.Model,
                    $"{path}: {(info is null ? $"there is no '{name}'" : $"'{name}' is [{string.Join(", ", info.Shape)}]")}, but the adapters need it as [{string.Join(", ", parameter.shape)}]. Use the rank and targets that they were trained with.");
            }
            using var stored = source.Read(name, ScalarType.Float32);
            parameter.copy_(stored);
        }
    }

    private static string DownName(string layer) => $"{layer}.lora_A.weight";

    private static string UpName(string layer) => $"{layer}.lora_B.weight";
}
