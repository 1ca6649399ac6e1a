namespace FlamingoSharp.Training.Config;

/// <summary>A value of a configuration, or a mapping of names to further ones, with the line it stands in.</summary>
/// <param name="Line">Counted from 1; 0 for what no file says.</param>
internal sealed record ConfigNode(int Line)
{
    /// <summary>The value; null for a mapping.</summary>
    public string? Value { get; init; }

    /// <summary>What stands below, in the order of the file; empty for a value.</summary>
    public OrderedDictionary<string, ConfigNode> Children { get; } = new(StringComparer.Ordinal);

    /// <summary>True for a mapping.</summary>
    public bool IsMapping => Value is null;
}
