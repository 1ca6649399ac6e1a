using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

/// <summary>Expected values: Python's str.lower() and str.strip().</summary>
public sealed class TextFormTests
{
    [Theory]
    [InlineData("A Dog", "a dog")]
    [InlineData("ÀÉ ÜBER ŽS", "àé über žs")]
    [InlineData("ΟΔΟΣ ΣΑΣ", "οδος σας")]
    [InlineData("Σ", "σ")]
    [InlineData("ΑΣ'Α", "ασ'α")]
    [InlineData("İstanbul", "i̇stanbul")]
    [InlineData("STRASSE ß", "strasse ß")]
    public void Lower_case_is_that_of_the_reference(string text, string lower) => Assert.Equal(lower, TextForms.Lower(text));

    [Theory]
    [InlineData("  a b \n", "a b")]
    [InlineData("\u001c\u001fa\u001d", "a")]
    [InlineData("\u00a0\u2003a\u3000\u0085", "a")]
    [InlineData("\u200ba\ufeff", "\u200ba\ufeff")] // neither is white space
    [InlineData(" \t ", "")]
    public void White_space_is_that_of_the_reference(string text, string stripped) => Assert.Equal(stripped, TextForms.Strip(text));

    [Fact]
    public void A_space_follows_only_what_is_there()
    {
        Assert.Equal("a ", (TextForm.Strip | TextForm.Lower | TextForm.ThenSpace).Apply(" A "));
        Assert.Equal("", (TextForm.Strip | TextForm.ThenSpace).Apply("  "));
    }
}
