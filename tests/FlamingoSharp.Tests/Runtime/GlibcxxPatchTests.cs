using System.Text;
using FlamingoSharp.Runtime;

namespace FlamingoSharp.Tests.Runtime;

/// <summary>On the library that TorchSharp's package brings.</summary>
public sealed class GlibcxxPatchTests
{
    internal static readonly string Library = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");

    private const string Missing = "GLIBCXX_3.4.32", Present = "GLIBCXX_3.4.20", MissingSymbol = "_ZSt21ios_base_library_initv", PresentSymbol = "_ZSt15get_new_handlerv";
    private static readonly byte[] Image = File.ReadAllBytes(Library);

    [Fact]
    public void Only_the_version_its_hash_and_the_symbol_change()
    {
        byte[] patched = GlibcxxPatch.Apply(Image);
        Assert.Equal(Image.Length, patched.Length);
        // A table for debuggers, which the linker never reads, holds the symbol once more, joined to its version.
        int version = Assert.Single(Places(Image, '\0' + Missing + '\0')) + 1, symbol = Assert.Single(Places(Image, '\0' + MissingSymbol + '\0')) + 1;
        Assert.Equal([], Places(patched, '\0' + Missing + '\0'));
        Assert.Equal([], Places(patched, '\0' + MissingSymbol + '\0'));
        Assert.Equal(Present + '\0', Encoding.ASCII.GetString(patched, version, Present.Length + 1));
        Assert.Equal(PresentSymbol + '\0', Encoding.ASCII.GetString(patched, symbol, PresentSymbol.Length + 1));
        int[] elsewhere = [.. Enumerable.Range(0, Image.Length).Where(i => Image[i] != patched[i]
            && (i < version || i >= version + Missing.Length) && (i < symbol || i >= symbol + MissingSymbol.Length))];
        int hash = elsewhere[0] - Enumerable.Range(0, 4).First(back => BitConverter.ToUInt32(Image, elsewhere[0] - back) == GlibcxxPatch.ElfHash(Missing));
        Assert.All(elsewhere, i => Assert.InRange(i, hash, hash + 3));
        Assert.Equal(GlibcxxPatch.ElfHash(Present), BitConverter.ToUInt32(patched, hash));
    }

    // The values that every library on x86-64 carries for these versions.
    [Theory]
    [InlineData("GLIBC_2.2.5", 0x09691a75u)]
    [InlineData("GLIBC_2.4", 0x0d696914u)]
    [InlineData("GLIBC_2.14", 0x06969194u)]
    [InlineData("CXXABI_1.3", 0x056bafd3u)]
    [InlineData("GLIBCXX_3.4", 0x08922974u)]
    public void Hashes_are_the_linkers(string version, uint hash) => Assert.Equal(hash, GlibcxxPatch.ElfHash(version));

    [Fact]
    public void The_hash_of_every_version_is_in_the_library_beside_its_name()
    {
        // An entry is: hash (4 bytes), flags (2), index (2), offset of the name in the table of strings (4), ...
        string[] versions = [.. Enumerable.Range(0, 40).Select(n => $"GLIBCXX_3.4.{n}").Where(v => Places(Image, '\0' + v + '\0').Count == 1)];
        Assert.Contains(Missing, versions);
        Assert.True(versions.Length > 3);
        var tables = versions.Select(v => EntriesOf(v).ToHashSet()).Aggregate((all, one) => [.. all.Intersect(one)]);
        Assert.Single(tables);

        static IEnumerable<long> EntriesOf(string version)
        {
            long name = Places(Image, '\0' + version + '\0')[0] + 1;
            byte[] hash = BitConverter.GetBytes(GlibcxxPatch.ElfHash(version));
            return from at in Places(Image, hash) where at + 12 <= Image.Length select name - BitConverter.ToUInt32(Image, at + 8);
        }
    }

    [Fact]
    public void What_is_no_library_is_refused()
    {
        Assert.Equal(Refusal("it is not a little-endian 64-bit ELF file"), Refused(Encoding.ASCII.GetBytes(new string('x', 100))));
        Assert.Equal(Refusal("it is not a little-endian 64-bit ELF file"), Refused([]));
        byte[] bits32 = [.. Image];
        bits32[4] = 1;
        Assert.Equal(Refusal("it is not a little-endian 64-bit ELF file"), Refused(bits32));
    }

    [Fact]
    public void A_patched_library_is_not_patched_again() =>
        Assert.Equal(Refusal($"it does not ask for {Missing} through {MissingSymbol}"), Refused(GlibcxxPatch.Apply(Image)));

    [Theory]
    [InlineData(64)]
    [InlineData(1000)]
    [InlineData(20000)]
    public void A_library_cut_short_is_refused(int length) => Assert.Equal(Refusal("its tables point outside the file"), Refused(Image[..length]));

    [Fact]
    public void Random_damage_is_refused_or_without_effect()
    {
        var random = new Random(7);
        for (int round = 0; round < 60; round++)
        {
            byte[] damaged = [.. Image];
            for (int i = 0; i < 3; i++)
                damaged[random.Next(16, 0x400)] = (byte)random.Next(256);
            try
            {
                Assert.Equal(Image.Length, GlibcxxPatch.Apply(damaged).Length);
            }
            catch (FlamingoException e)
            {
                Assert.StartsWith("TorchSharp's native library cannot be adapted to this system: ", e.Message, StringComparison.Ordinal);
            }
        }
    }

    private static string Refused(byte[] image) => Assert.Throws<FlamingoException>(() => GlibcxxPatch.Apply(image)).Message;

    private static string Refusal(string why) =>
        $"TorchSharp's native library cannot be adapted to this system: {why}. Install libstdc++ 13 or newer.";

    private static List<int> Places(byte[] image, string text) => Places(image, Encoding.ASCII.GetBytes(text));

    private static List<int> Places(ReadOnlySpan<byte> image, ReadOnlySpan<byte> wanted)
    {
        var found = new List<int>();
        for (int from = 0, at; (at = image[from..].IndexOf(wanted)) >= 0; from += at + 1)
            found.Add(from + at);
        return found;
    }
}
