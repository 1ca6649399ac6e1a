using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

public sealed class LabelMatchTests
{
    [Theory]
    [InlineData("Rain.", "rain")]
    [InlineData(" - car horn. ", "car horn")]
    [InlineData("rainy", null)]
    [InlineData("(A) rain", "rain")]
    [InlineData("(b)", "car horn")]
    [InlineData("(b) car horn.", "car horn")]
    [InlineData("(a) car horn", "car horn")] // the words count more than the letter
    [InlineData("(B) a loud horn", "car horn")]
    [InlineData("(C) thunder", null)]
    [InlineData("b", null)]
    public void An_answer_is_matched_with_the_labels_whatever_its_case_and_stop_or_by_its_letter(string answer, string? label) =>
        Assert.Equal(label, LabelMatch.Find(answer, ["rain", "car horn"]));
}
