using System.Globalization;
using System.Text.RegularExpressions;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.TestKit;

/// <summary>Reads the fixed texts of cases.json that describe synthetic inputs: <c>synth(salt+'X',(shape),base,amp)</c>.</summary>
public static partial class Synth
{
    /// <summary>The tensors that a text describes, in order; a text may hold several calls.</summary>
    /// <param name="text">The text.</param> <param name="salt">The set's salt.</param>
    /// <param name="index">Replaces a part written &lt;i&gt; in a name.</param>
    public static Tensor[] Parse(string text, string salt, int? index = null) =>
        [.. Call().Matches(text).Select(m => One(m, salt, index))];

    private static Tensor One(Match call, string salt, int? index)
    {
        string name = call.Groups["name"].Value;
        if (index is { } i)
            name = name.Replace("<i>", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        long[] shape = [.. call.Groups["shape"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(long.Parse)];
        double center = double.Parse(call.Groups["base"].Value, CultureInfo.InvariantCulture);
        double amplitude = double.Parse(call.Groups["amp"].Value, CultureInfo.InvariantCulture);
        return tensor(SyntheticWeights.Values(salt + name, shape.Aggregate(1L, (a, b) => a * b), center, amplitude), shape);
    }

    [GeneratedRegex(@"synth\(salt\+'(?<name>[^']+)',\s*\((?<shape>[\d,\s]+)\),\s*(?:base\s*)?(?<base>[-\d.e]+),\s*(?:amp\s*)?(?<amp>[-\d.e]+)\)")]
    private static partial Regex Call();
}
