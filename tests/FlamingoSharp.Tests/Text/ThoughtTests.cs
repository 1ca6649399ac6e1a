using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Text;

/// <summary>Expected resumptions: worked out by hand from the rule of the vectors' SPEC, section 8.6.</summary>
public sealed class ThoughtTests
{
    [Fact]
    public void The_four_tags_become_four_fields()
    {
        const string Text = "<SUMMARY> I will listen. </SUMMARY>\n<CAPTION>A bell.</CAPTION>\n<REASONING>It rings.\nTwice.</REASONING>\n<CONCLUSION>(A) church</CONCLUSION>";
        var thought = Thought.Parse(Text);
        Assert.Equal((Text, "I will listen.", "A bell.", "It rings.\nTwice.", "(A) church"),
            (thought.Text, thought.Summary, thought.Caption, thought.Reasoning, thought.Conclusion));
        Assert.Null(Thought.ResumeFrom(Text));
    }

    [Theory]
    [InlineData("", null, null, null, null)]
    [InlineData("a bell", null, null, null, null)]
    [InlineData("<summary>", null, null, null, null)]
    [InlineData("<summary></summary><summary>late</summary>", "late", null, null, null)]
    [InlineData("<summary>one</summary><summary>two</summary>", "one", null, null, null)]
    [InlineData("<summary>a<caption>b</caption>", "a", "b", null, null)] // an end that was forgotten
    [InlineData("</conclusion>x<conclusion>y", null, null, null, "y")]
    [InlineData("<SUMMARY>a</CAPTION> b </SUMMARY>", "a", null, null, null)]
    [InlineData("<summary <caption>>x", null, ">x", null, null)]
    [InlineData("< conclusion>x</conclusion>", null, null, null, null)]
    [InlineData("<Reasoning>r<Conclusion>c", null, null, "r", "c")]
    [InlineData("<think>x</think><conclusion>y<b>z</b></conclusion>", null, null, null, "y<b>z</b>")]
    public void Malformed_tags_give_what_can_be_known_and_the_whole_text(string text, string? summary, string? caption, string? reasoning, string? conclusion)
    {
        var thought = Thought.Parse(text);
        Assert.Equal((text, summary, caption, reasoning, conclusion), (thought.Text, thought.Summary, thought.Caption, thought.Reasoning, thought.Conclusion));
    }

    [Theory]
    [InlineData("no tags at all", null)]
    [InlineData("<summary>a</summary><conclusion>b", null)] // no reasoning
    [InlineData("<REASONING>a</REASONING><CONCLUSION>b</CONCLUSION>", null)]
    [InlineData("<SUMMARY>S</SUMMARY><REASONING>It rings. Twice</REASONING><CONCLUSION>Church", "<summary>s</summary><reasoning>it rings. twice</REASONING>\n<CONCLUSION>")]
    [InlineData("<reasoning>It rings. Twice. And th", "<reasoning>it rings. twice</REASONING>\n<CONCLUSION>")]
    [InlineData("<reasoning>it rings", "<reasoning>it rings</REASONING>\n<CONCLUSION>")]
    public void Reasoning_without_a_conclusion_is_taken_up_again(string text, string? start) => Assert.Equal(start, Thought.ResumeFrom(text));

    [Theory]
    [InlineData("a")]
    [InlineData("\U0001F514")] // one character, two units of UTF-16
    public void Reasoning_that_never_ends_is_cut_to_512_characters_and_then_to_whole_sentences(string letter)
    {
        string start = "<reasoning>" + string.Concat(Enumerable.Repeat(letter, 400));
        string text = start + ". " + string.Concat(Enumerable.Repeat(letter, 98)) + ". more"; // the second stop is character 512
        Assert.Equal(start + ". " + string.Concat(Enumerable.Repeat(letter, 98)) + "</REASONING>\n<CONCLUSION>", Thought.ResumeFrom(text));
        Assert.Equal(start + "</REASONING>\n<CONCLUSION>", Thought.ResumeFrom(text.Insert(20, letter))!.Remove(20, letter.Length));
    }
}
