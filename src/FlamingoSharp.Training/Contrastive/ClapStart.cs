using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>What a CLAP model's training starts from: both towers of a CLAP model, or the sound encoder of any model.</summary>
internal sealed class ClapStart : IDisposable
{
    private const string Words = "text_branch.";

    private readonly IWeightSource _weights;

    private ClapStart(IWeightSource weights, ClapConfig? form) => (_weights, Form) = (weights, form);

    /// <summary>The form of the model that is there; null for a file of an encoder alone, which does not say it.</summary>
    public ClapConfig? Form { get; }

    /// <summary>True if it has a text tower.</summary>
    public bool HasText => _weights.Weights.Keys.Any(IsText);

    /// <summary>Opens the folder of a model, the published checkpoint of a CLAP, or the file of an encoder.</summary>
    /// <exception cref="FlamingoException">It is none of these.</exception>
    public static ClapStart Open(string path)
    {
        string config = Path.Combine(path, "config.json");
        var form = !File.Exists(config) ? null
            : ClapConfig.Describes(config) ? ClapConfig.Load(config)
            : ClapConfig.For(FlamingoConfig.Load(config));
        var weights = new RenamedSource(Checkpoint.Open(path), NameMap.Clap);
        try
        {
            if (form is null && weights.Weights.Keys.Any(IsText))
                form = ClapCheckpoint.Recognise(weights);
            return new ClapStart(weights, form);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Gives towers its weights.</summary>
    /// <exception cref="FlamingoException">They are of another form.</exception>
    public void Fill(ClapTowers towers)
    {
        if (HasText)
            ModuleWeights.Fill(towers, _weights, type: ScalarType.Float32);
        else
            ModuleWeights.Fill(towers.Audio, _weights, ModelParts.EncoderPrefix, ScalarType.Float32);
    }

    /// <inheritdoc/>
    public void Dispose() => _weights.Dispose();

    private static bool IsText(string name) => name.StartsWith(Words, StringComparison.Ordinal);
}
