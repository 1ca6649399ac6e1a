using System.Globalization;

namespace FlamingoSharp.Cli.Output;

/// <summary>Large numbers as people read them.</summary>
internal static class Quantity
{
    /// <summary>1.5 GB: powers of 1000, three digits.</summary>
    public static string Bytes(long bytes) => Scaled(bytes, ["bytes", "kB", "MB", "GB", "TB"]);

    /// <summary>1,234,567 (1.23 M).</summary>
    public static string Count(long count) => count < 10_000
        ? count.ToString("N0", CultureInfo.InvariantCulture)
        : $"{count.ToString("N0", CultureInfo.InvariantCulture)} ({Scaled(count, ["", "k", "M", "G"])})";

    private static string Scaled(double value, string[] units)
    {
        int unit = 0;
        while (value >= 999.5 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }
        string digits = unit == 0 || value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00";
        return $"{value.ToString(digits, CultureInfo.InvariantCulture)} {units[unit]}";
    }
}
