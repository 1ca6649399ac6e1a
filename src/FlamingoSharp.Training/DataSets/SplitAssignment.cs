using System.Security.Cryptography;
using System.Text;

namespace FlamingoSharp.Training.DataSets;

/// <summary>How examples without a split are dealt out.</summary>
public sealed record SplitOptions
{
    /// <summary>Share of the validation split.</summary>
    public double Validation { get; init; } = 0.15;

    /// <summary>Share of the test split; what remains is for training.</summary>
    public double Test { get; init; } = 0.15;

    /// <summary>Another seed deals out differently.</summary>
    public int Seed { get; init; }

    /// <exception cref="FlamingoException">A share is negative, or both together leave nothing to train on (unless all is test).</exception>
    internal void Validate()
    {
        if (!(Validation is >= 0 and <= 1 && Test is >= 0 and <= 1 && Validation + Test <= 1))
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The validation split takes {Validation} and the test split {Test} of the sounds; expected shares from 0 to 1 that leave the rest for training.");
        }
    }
}

/// <summary>A recording as splitting sees it.</summary>
/// <param name="Hash">Of its content; decides where it comes, whatever its name.</param>
/// <param name="Group">Recordings of one group stay together.</param>
/// <param name="Stratum">What each split is to hold its share of.</param>
internal sealed record SplitUnit(string Hash, int Group, string Stratum);

/// <summary>
/// Deals recordings out to train, val and test: stratified, by content, so that the same files give the same splits in every folder and on
/// every machine. A recording that is added moves few others.
/// </summary>
internal static class SplitAssignment
{
    public const string Train = "train", Validation = "val", Test = "test";

    /// <summary>The split of each unit. A stratum with as many groups as there are splits is in every one of them; one with fewer is for training alone.</summary>
    public static string[] Of(IReadOnlyList<SplitUnit> units, SplitOptions options)
    {
        string[] splits = new string[units.Count];
        Array.Fill(splits, options.Validation + options.Test < 1 ? Train : options.Test > 0 ? Test : Validation);
        int wanted = new[] { options.Test, options.Validation, 1 - options.Test - options.Validation }.Count(share => share > 0);
        var groups = Enumerable.Range(0, units.Count).GroupBy(i => units[i].Group)
            .Select(g => (Members: g.ToArray(), units[g.First()].Stratum, Key: g.Min(i => KeyOf(units[i].Hash, options.Seed))!));
        foreach (var stratum in groups.GroupBy(g => g.Stratum, StringComparer.Ordinal))
        {
            List<(string Key, int[] Members)> left = [.. stratum.Select(g => (g.Key, g.Members)).OrderBy(g => g.Key, StringComparer.Ordinal)];
            if (left.Count < wanted)
                continue;
            int total = left.Sum(g => g.Members.Length);
            Take(left, Test, options.Test * total, keep: wanted - 1);
            Take(left, Validation, options.Validation * total, keep: wanted - (options.Test > 0 ? 2 : 1));
        }
        return splits;

        // Takes the first groups that fit, one at least, and leaves some for the splits to come.
        void Take(List<(string Key, int[] Members)> left, string split, double share, int keep)
        {
            int target = share > 0 ? Math.Max(1, (int)Math.Round(share)) : 0, taken = 0;
            while (taken < target && left.Count > keep)
            {
                int next = left.FindIndex(g => taken + g.Members.Length <= target);
                if (next < 0 && taken > 0)
                    return;
                next = next < 0 ? left.IndexOf(left.MinBy(g => g.Members.Length)) : next;
                foreach (int member in left[next].Members)
                    splits[member] = split;
                taken += left[next].Members.Length;
                left.RemoveAt(next);
            }
        }
    }

    private static string KeyOf(string hash, int seed) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}:{hash}")));
}
