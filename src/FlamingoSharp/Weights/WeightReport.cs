using System.Globalization;
using System.Text;

namespace FlamingoSharp.Weights;

/// <summary>What of a checkpoint does not fit a model, grouped by module, with the likely cause.</summary>
internal sealed class WeightReport(IWeightSource source, string prefix)
{
    private const int Shown = 5;

    private readonly List<string> _missing = [];
    private readonly List<string> _unexpected = [];
    private readonly List<(string Name, string Text, IReadOnlyList<long> Found, IReadOnlyList<long> Wanted)> _otherShape = [];

    /// <summary>The model has a tensor that the checkpoint lacks.</summary>
    public void Missing(string name, IReadOnlyList<long> shape) => _missing.Add($"{prefix}{name} {Text(shape)}");

    /// <summary>The checkpoint has a tensor that the model lacks.</summary>
    public void Unexpected(string name) => _unexpected.Add(prefix + name);

    /// <summary>Both have the tensor, in different shapes.</summary>
    public void OtherShape(string name, IReadOnlyList<long> found, IReadOnlyList<long> wanted) =>
        _otherShape.Add((prefix + name, $"{prefix}{name} is {Text(found)}, the model wants {Text(wanted)}", found, wanted));

    /// <summary>Throws the report as one error, if there is anything to report.</summary>
    public void ThrowIfAny()
    {
        if (_missing.Count + _unexpected.Count + _otherShape.Count == 0)
            return;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"{source.Origin} does not fit the model: {_missing.Count} tensors are missing, {_unexpected.Count} unexpected, {_otherShape.Count} of another shape.");
        if (LikelyCause() is { } cause)
            text.Append(' ').Append(cause);
        Append(text, "missing", _missing);
        Append(text, "unexpected", _unexpected);
        Append(text, "of another shape", [.. _otherShape.Select(o => o.Text)]);
        throw new FlamingoException(FlamingoErrorKind.Model, text.ToString());
    }

    private string? LikelyCause() => WeightDiagnosis.Of(source, prefix,
        [.. _missing.Select(m => m[..m.IndexOf(' ', StringComparison.Ordinal)])], _unexpected, [.. _otherShape.Select(o => (o.Name, o.Found, o.Wanted))]);

    private static void Append(StringBuilder text, string kind, List<string> names)
    {
        foreach (var module in names.GroupBy(ModuleOf))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  {kind} in {module.Key} ({module.Count()}): ");
            text.AppendJoin("; ", module.Take(Shown));
            if (module.Count() > Shown)
                text.Append("; …");
        }
    }

    /// <summary>The name up to its first number: lang_encoder.model.decoder.layers, audio_transformer.layer_stack.</summary>
    private static string ModuleOf(string name)
    {
        string[] parts = name.Split(' ')[0].Split('.');
        int end = Array.FindIndex(parts, p => p.Length > 0 && p.All(char.IsAsciiDigit));
        end = end < 0 ? parts.Length - 1 : end;
        return end <= 0 ? "the module itself" : string.Join('.', parts.Take(end));
    }

    private static string Text(IReadOnlyList<long> shape) => $"[{string.Join(", ", shape)}]";
}
