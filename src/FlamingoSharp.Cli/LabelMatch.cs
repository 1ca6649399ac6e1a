namespace FlamingoSharp.Cli;

/// <summary>Which label an answer means: the same words, whatever their case, outer spaces and full stop.</summary>
internal static class LabelMatch
{
    /// <summary>The label as it was given; null when the answer is none of them.</summary>
    public static string? Find(string answer, IReadOnlyList<string> labels) =>
        labels.FirstOrDefault(l => string.Equals(Bare(l), Bare(answer), StringComparison.OrdinalIgnoreCase));

    private static string Bare(string text) => text.Trim().TrimStart('-').TrimEnd('.').Trim();
}
