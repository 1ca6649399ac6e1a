using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>
/// Pinned tokens. The cases marked T are those of the original tokenizer's published tests, in lower case and without punctuation; the others follow
/// from its documented rules.
/// </summary>
public sealed class PtbTokenizerTests
{
    [Theory]
    [InlineData("A man is speaking.", "a man is speaking")]
    [InlineData("", "")]
    [InlineData("  \n ", "")]
    [InlineData("...", "")]
    // contractions
    [InlineData("I can't believe they wanna keep 40% of that.\"", "i ca n't believe they wan na keep 40 % of that")] // T
    [InlineData("Gimme a phone, I'm gonna call.", "gim me a phone i 'm gon na call")] // T
    [InlineData("I don't --- think so...,", "i do n't think so")] // T
    [InlineData("I didn’t mean it.", "i did n't mean it")] // T
    [InlineData("You should've paid only$16.75.", "you should 've paid only $ 16.75")] // T
    [InlineData("it's", "it 's")] // T
    [InlineData("Sanyo products aren't.", "sanyo products are n't")] // T
    [InlineData("She'll say they're here, we'd say he'll go", "she 'll say they 're here we 'd say he 'll go")]
    [InlineData("It won't and it cannot", "it wo n't and it can not")]
    [InlineData("'Tis the dogs' bark, Mary's dog", "'t is the dogs bark mary 's dog")]
    [InlineData("five o'clock, ma'am", "five o'clock ma'am")]
    [InlineData("I lived in O’Malley", "i lived in o'malley")] // T
    [InlineData("rock 'n' roll of the '90s", "rock 'n' roll of the '90s")]
    // hyphens, dashes and slashes
    [InlineData("Sydney-based Creative Pack", "sydney-based creative pack")] // T
    [InlineData("a low-pitched, far-away tick-tock", "a low-pitched far-away tick-tock")]
    [InlineData("a- ``I like AT&T''.", "a i like at&t")] // T
    [InlineData("The Iron Age – ca. 300 BC.", "the iron age ca. 300 bc")] // T
    [InlineData("rain--and then thunder—loud", "rain and then thunder loud")]
    [InlineData("tiotropium/olodaterol 5/2 μg", "tiotropium/olodaterol 5/2 μg")] // T
    [InlineData("mother-in-law's voice", "mother-in-law 's voice")]
    // numbers
    [InlineData("I said at 4:45pm.", "i said at 4:45 pm")] // T
    [InlineData("lives near Udaipur (84km)", "lives near udaipur 84km")] // T, brackets are dropped
    [InlineData("You paid US$170,000?!", "you paid us$ 170,000 ?!")] // T
    [InlineData("3 and 1/2 beeps at 0.5 Hz, 1,000 times, 2nd", "3 and 1/2 beeps at 0.5 hz 1,000 times 2nd")]
    [InlineData("(19.2% v 19.3% p>0.05)", "19.2 % v 19.3 % p > 0.05")] // T
    [InlineData("Windows 3.1, and a 10-second beep", "windows 3.1 and a 10-second beep")]
    [InlineData("The end of 5.", "the end of 5")]
    // abbreviations keep their full stop
    [InlineData("Kemper Corp.", "kemper corp.")] // T
    [InlineData("U.S. insurance and U.S insurance", "u.s. insurance and u.s insurance")] // T
    [InlineData("No. I like No. 24 and no.47.", "no i like no. 24 and no. 47")] // T
    [InlineData("a B.S. or a B. A. or a Ph.D from Stanford.", "a b.s. or a b. a. or a ph.d from stanford")] // T
    [InlineData("Mr. Smith, Dr. No, bells etc.", "mr. smith dr. no bells etc.")]
    [InlineData("A man sat. A cat ran.", "a man sat a cat ran")]
    [InlineData("at 5 p.m. the bell rings", "at 5 p.m. the bell rings")]
    // quotes and marks
    [InlineData("\"John & Mary's dog,\" Jane thought (to herself).", "john & mary 's dog jane thought to herself")] // T
    [InlineData("He says ``hi'' and 'bye'", "he says hi and bye")]
    [InlineData("He says \"Thank you\"; she: nothing!", "he says thank you she nothing")]
    [InlineData("What?! No!!", "what ?! no !!")]
    [InlineData("well, what I mean...see . . . what", "well what i mean see what")] // T
    // the rest
    [InlineData("Here is one: http://google.com.", "here is one http://google.com")] // T
    [InlineData("I like F# & R&B", "i like f # & r&b")]
    [InlineData("Indo\u00ADnesian ship", "indonesian ship")] // T
    [InlineData("Ein Mädchen ruft „Hallo“", "ein mädchen ruft „ hallo")]
    public void Cuts_as_the_Penn_Treebank(string text, string words) => Assert.Equal(words, string.Join(' ', PtbTokenizer.Tokenize(text)));
}
