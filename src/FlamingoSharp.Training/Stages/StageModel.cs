using System.Security.Cryptography;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>A model folder opened for training: checked, filled in float32, its parts at hand.</summary>
internal sealed class StageModel : IDisposable
{
    private const int UnusedRows = 1024; // of an embedding that is filled up to a round number

    private StageModel(string folder, FlamingoConfig config, Tokenizer tokenizer, FlamingoModel model, Device device, ScalarType storedType) =>
        (Folder, Config, Tokenizer, Model, Device, StoredType) = (folder, config, tokenizer, model, device, storedType);

    /// <summary>Where it came from.</summary>
    public string Folder { get; }

    /// <summary>Its form, with the windows and slots of this training.</summary>
    public FlamingoConfig Config { get; }

    /// <summary>How it reads and writes.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The model itself.</summary>
    public FlamingoModel Model { get; }

    /// <summary>Where it is.</summary>
    public Device Device { get; }

    /// <summary>Element type of the folder's weights.</summary>
    public ScalarType StoredType { get; }

    /// <summary>The encoder.</summary>
    public Htsat Encoder => (Htsat)Model.EncoderPart!;

    /// <summary>Opens a folder.</summary>
    /// <exception cref="FlamingoException">The folder is incomplete or corrupt, or its parts do not belong together.</exception>
    public static StageModel Open(LanguageTaskOptions options)
    {
        var files = ModelFolder.Open(options.ModelFolder);
        var config = FlamingoConfig.Load(files.ConfigPath);
        var tokenizer = Tokenizer.Load(files.TokenizerFolder);
        CheckVocabulary(options.ModelFolder, tokenizer, config);
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
        var model = config.Build(tokenizer.Special.Audio.Id);
        try
        {
            using var weights = files.OpenWeights();
            ModuleWeights.Fill(model, weights, type: ScalarType.Float32, device: device);
            model.eval();
            return new StageModel(options.ModelFolder, config, tokenizer, model, device, weights.Weights.Values.First(w => w.IsFloating).Type);
        }
        catch
        {
            model.Dispose();
            throw;
        }
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

    // An embedding may be filled up to a round number of rows; a tokenizer of another model is further off than that.
    private static void CheckVocabulary(string folder, Tokenizer tokenizer, FlamingoConfig config)
    {
        int unused = config.Language.VocabularySize - tokenizer.VocabularySize;
        if (unused is < 0 or >= UnusedRows)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{folder}': the tokenizer has {tokenizer.VocabularySize} tokens but the language model {config.Language.VocabularySize} rows. The two do not belong together: put the tokenizer that the model was made with into the folder.");
        }
    }
}
