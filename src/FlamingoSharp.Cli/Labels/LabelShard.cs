using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FlamingoSharp.Cli.Output;

namespace FlamingoSharp.Cli.Labels;

/// <summary>One of several runs that share the sounds without talking to each other.</summary>
/// <param name="Number">From 1.</param> <param name="Count">Runs.</param>
internal sealed record LabelShard(int Number, int Count)
{
    /// <summary>Reads <c>2/4</c>; null if it is none.</summary>
    public static LabelShard? Parse(string text) =>
        text.Split('/') is [var left, var right]
        && int.TryParse(left, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && int.TryParse(right, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
        && number >= 1 && number <= count ? new LabelShard(number, count) : null;

    /// <summary>True for the sounds of this run. By name, so that sounds which are added change nothing for the others.</summary>
    public bool Has(LabelKey sound)
    {
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(sound.File));
        return BinaryPrimitives.ReadUInt32LittleEndian(hash) % (uint)Count == Number - 1;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}/{Count}");
}
