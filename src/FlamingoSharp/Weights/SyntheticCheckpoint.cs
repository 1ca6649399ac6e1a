using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>How one synthetic tensor is made.</summary>
/// <param name="Name">Its name in the checkpoint.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Center">The mean of its values.</param>
/// <param name="Amplitude">Half the width of their range.</param>
/// <param name="SeedName">The text that is hashed to the seed; by default the name.</param>
public sealed record SyntheticTensor(string Name, IReadOnlyList<long> Shape, double Center, double Amplitude, string? SeedName = null)
{
    /// <summary>Mean and amplitude by the kind of tensor, which its name and shape tell: a full-size model so made has activations of ordinary size.</summary>
    /// <param name="name">A canonical name, e.g. <c>lang_encoder.model.decoder.layers.0.decoder_layer.fc2.weight</c>.</param>
    /// <param name="shape">Its dimensions; matrices get an amplitude of gain · √(3 / inputs), rounded to 9 decimals.</param>
    /// <param name="seedPrefix">Stands in front of the name when it is hashed.</param>
    public static SyntheticTensor For(string name, IReadOnlyList<long> shape, string seedPrefix = "")
    {
        var (center, amplitude) = RangeOf(name, shape);
        return new SyntheticTensor(name, shape, center, amplitude, seedPrefix + name);
    }

    private static (double Center, double Amplitude) RangeOf(string name, IReadOnlyList<long> shape)
    {
        bool Ends(string ending) => name.EndsWith(ending, StringComparison.Ordinal);
        bool Has(string part) => name.Contains(part, StringComparison.Ordinal);

        if (Ends("_gate"))
            return (0, 0.7);
        if (Ends(".relative_position_bias_table"))
            return (0, 0.3);
        if (Ends(".running_mean")) // a log-mel spectrogram in dB goes into the first normalisation, small numbers into the others
            return Has("fusion_model") ? (0, 0.1) : (-20, 5);
        if (Ends(".running_var"))
            return Has("fusion_model") ? (1, 0.3) : (150, 40);
        if (Ends(".bias"))
            return (0, Has("gated_cross") || Has("model.decoder.") || !(Ends("q_proj.bias") || Ends("k_proj.bias")) ? 0.05 : 0.3);
        if (Ends("decoder.final_layer_norm.weight") && !Has(".layers."))
            return (2, 0.2);
        if (Ends("lang_encoder.model.norm.weight"))
            return (3, 0.3);
        if (shape.Count < 2)
            return (1, 0.1);
        if (Ends("embed_positions.weight"))
            return (0, 0.05);
        if (Ends("embed_tokens.weight"))
            return (0, Has("model.decoder.") ? 0.05 : 0.06);
        double inputs = shape.Skip(1).Aggregate(1L, (a, b) => a * b);
        return (0, Math.Round(GainOf(name) * Math.Sqrt(3 / inputs), 9));
    }

    private static double GainOf(string name)
    {
        bool Ends(string ending) => name.EndsWith(ending, StringComparison.Ordinal);
        return 0 switch
        {
            _ when Ends("attn.to_q.weight") || Ends("attn.to_kv.weight") => 1.5,
            _ when Ends("attn.to_out.weight") => name.Contains("_layer_sound.", StringComparison.Ordinal) ? 0.15 : 0.12,
            _ when Ends(".ff.3.weight") => 0.8,
            _ when Ends("self_attn.q_proj.weight") || Ends("self_attn.k_proj.weight") => 2,
            _ when Ends("decoder_layer.fc2.weight") => 2,
            _ when Ends("mlp.down_proj.weight") => 2.5,
            _ when Ends("attn.qkv.weight") => 1.6,
            _ => 1,
        };
    }
}

/// <summary>
/// A checkpoint of any size that is made while it is read: the same values on every machine, no download.
/// </summary>
public sealed class SyntheticCheckpoint : IWeightSource
{
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, SyntheticTensor> _tensors = [];

    /// <summary>A checkpoint of the tensors listed.</summary>
    /// <param name="origin">What messages call it.</param>
    /// <param name="tensors">In the order of the checkpoint.</param>
    public SyntheticCheckpoint(string origin, IEnumerable<SyntheticTensor> tensors)
    {
        Origin = origin;
        foreach (var tensor in tensors)
        {
            _weights[tensor.Name] = new WeightInfo(tensor.Name, tensor.Shape, ScalarType.Float32);
            _tensors[tensor.Name] = tensor;
        }
    }

    /// <summary>A checkpoint with the names and shapes given, e.g. by <see cref="ModuleWeights.Describe"/>, and values by <see cref="SyntheticTensor.For"/>.</summary>
    public static SyntheticCheckpoint Of(string origin, IEnumerable<WeightInfo> weights, string seedPrefix = "") =>
        new(origin, weights.Select(w => SyntheticTensor.For(w.Name, w.Shape, seedPrefix)));

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
            throw new FlamingoException(FlamingoErrorKind.Model, $"{Origin}: there is no tensor '{name}'.");
        ulong seed = SyntheticWeights.Seed(tensor.SeedName ?? name);
        return ElementReader.Contiguous(_weights[name], type, (position, buffer) =>
            SyntheticWeights.Fill(seed, MemoryMarshal.Cast<byte, float>(buffer), tensor.Center, tensor.Amplitude, position / sizeof(float)));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
