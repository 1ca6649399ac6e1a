using System.Security.Cryptography;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>A model opened for training: checked, filled in float32, its parts at hand.</summary>
internal sealed class StageModel : IDisposable
{
    private StageModel(StartingModel start, FlamingoConfig config, FlamingoModel model, Device device, ScalarType storedType) =>
        (Start, Config, Model, Device, StoredType) = (start, config, model, device, storedType);

    /// <summary>What it came from.</summary>
    public StartingModel Start { get; }

    /// <summary>What messages call what it came from.</summary>
    public string Folder => Start.Name;

    /// <summary>Its form, with the windows and slots of this training.</summary>
    public FlamingoConfig Config { get; }

    /// <summary>How it reads and writes.</summary>
    public Tokenizer Tokenizer => Start.Tokenizer;

    /// <summary>The model itself.</summary>
    public FlamingoModel Model { get; }

    /// <summary>Where it is.</summary>
    public Device Device { get; }

    /// <summary>Element type of the weights that it came with.</summary>
    public ScalarType StoredType { get; }

    /// <summary>The encoder.</summary>
    public Htsat Encoder => (Htsat)Model.EncoderPart!;

    /// <summary>Opens it.</summary>
    /// <exception cref="FlamingoException">It is incomplete or corrupt, or its parts do not belong together.</exception>
    public static StageModel Open(LanguageTaskOptions options)
    {
        var start = options.Parts is { } parts ? StartingModel.Of(parts) : StartingModel.In(options.ModelFolder);
        var config = start.Config;
        config = config with
        {
            Windows = config.Windows with
            {
                MaxWindows = options.Curriculum.Count > 0 ? options.Curriculum.Max(c => c.Windows) : options.MaxWindows ?? config.Windows.MaxWindows,
                Slots = options.Slots ?? config.Windows.Slots,
            },
        };
        config.Validate();
        NativeRuntime.EnsureLoaded();
        var device = Devices.Parse(options.Device);
        var model = config.Build(start.Tokenizer.Special.Audio.Id);
        try
        {
            using var weights = start.OpenWeights();
            ModuleWeights.Fill(model, weights, type: ScalarType.Float32, device: device);
            model.eval();
            return new StageModel(start, config, model, device, weights.Weights.Values.First(w => w.IsFloating).Type);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Lets the encoder, or parts of it, learn along.</summary>
    /// <exception cref="FlamingoException">It has no such part.</exception>
    public void Tune(EncoderTuning tuning)
    {
        Encoder.Augment = tuning.Augment;
        int learns = 0;
        foreach (var (name, parameter) in Encoder.named_parameters())
        {
            parameter.requires_grad = tuning.Parts.Count == 0 || tuning.Parts.Any(p => name.Contains(p, StringComparison.Ordinal));
            learns += parameter.requires_grad ? 1 : 0;
        }
        if (learns == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"clap_config.finetune_parts is '{string.Join(",", tuning.Parts)}', but no parameter of the encoder has that in its name; leave it out to train the whole encoder.");
        }
    }

    /// <summary>Matrix products of this type from now on.</summary>
    /// <param name="type">The weights stay as they are.</param> <param name="encoderToo">False leaves the encoder's as they are.</param>
    public void ComputeIn(ScalarType type, bool encoderToo)
    {
        Model.Language.ComputeType = type;
        foreach (var layer in Model.AudioPart.modules().Concat(encoderToo ? Encoder.modules() : []).OfType<LinearLayer>())
            layer.ComputeType = type;
    }

    /// <summary>The hash of the encoder's weights.</summary>
    public string EncoderHash()
    {
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in Encoder.state_dict().Where(t => !NameMap.IsComputed(t.Key)).OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(name));
            hash.AppendData(tensor.detach().cpu().contiguous().bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();
}
