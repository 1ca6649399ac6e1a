using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

/// <summary>Pairs from the conformance rules of Unicode Standard Annex #15 and its examples.</summary>
public sealed class UnicodeCompositionTests
{
    [Theory]
    [InlineData("plain ASCII and \u00e9", "plain ASCII and \u00e9")]
    [InlineData("e\u0301", "\u00e9")]
    [InlineData("\u212b", "\u00c5")]                       // a singleton: angstrom sign
    [InlineData("\u0344", "\u0308\u0301")]                 // decomposes, never composes
    [InlineData("\u0958", "\u0915\u093c")]                 // excluded from composition
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]         // marks are put in order
    [InlineData("o\u0304\u0328", "\u01ed")]                // in order, then two steps of composition
    [InlineData("D\u0307\u0323", "\u1e0c\u0307")]          // the lower mark goes first
    [InlineData("a\u0315\u0300", "\u00e0\u0315")]          // a higher class between does not block
    [InlineData("a\u0302\u0308", "\u00e2\u0308")]          // the same class blocks
    [InlineData("\u1112\u1161\u11ab", "\ud55c")]           // Hangul by formula
    [InlineData("\ud558\u11ab", "\ud55c")]
    [InlineData("\u09c7\u09be", "\u09cb")]                 // a starter composes with a starter
    [InlineData("\u09c7\u0301\u09be", "\u09c7\u0301\u09be")] // but not across a mark
    [InlineData("\ud834\udd5e", "\ud834\udd57\ud834\udd65")] // beyond U+FFFF
    [InlineData("\ud804\udd31\ud804\udd27", "\ud804\udd2e")]
    [InlineData(">\u0338", "\u226f")]
    public void Text_is_composed_as_the_standard_says(string text, string composed)
    {
        Assert.Equal(composed, UnicodeComposition.Compose(text));
        Assert.Equal(composed, UnicodeComposition.Compose(composed));
    }
}
