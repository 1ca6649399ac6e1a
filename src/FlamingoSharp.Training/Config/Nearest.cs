namespace FlamingoSharp.Training.Config;

/// <summary>Finds what a misspelt name was meant to be.</summary>
internal static class Nearest
{
    /// <summary>The name with the fewest letters to change; null if there is none, or more than half would change.</summary>
    public static string? Of(string name, IReadOnlyList<string> known)
    {
        var best = known.Select(k => (Name: k, Distance: Distance(name, k))).OrderBy(k => k.Distance).FirstOrDefault();
        return best.Name is not null && best.Distance <= Math.Max(2, Math.Max(name.Length, best.Name.Length) / 2) ? best.Name : null;
    }

    // Letters to insert, delete or replace (Levenshtein).
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 0; i < a.Length; i++)
        {
            int corner = row[0];
            row[0] = i + 1;
            for (int j = 0; j < b.Length; j++)
            {
                int above = row[j + 1];
                row[j + 1] = Math.Min(Math.Min(above, row[j]) + 1, corner + (a[i] == b[j] ? 0 : 1));
                corner = above;
            }
        }
        return row[^1];
    }
}
