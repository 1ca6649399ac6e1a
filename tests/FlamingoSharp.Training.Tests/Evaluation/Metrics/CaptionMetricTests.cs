using CsCheck;
using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>CIDEr-D, BLEU and ROUGE-L.</summary>
public sealed class CaptionMetricTests
{
    // The example of aac-metrics, whose README prints 0.9614 and 0.4278; the other digits are from an independent script (numpy, from the papers' definitions).
    private static readonly CaptionWords[] s_two =
    [
        CaptionWords.Of("a man is speaking", ["a man speaks.", "someone speaks.", "a man is speaking while a bird is chirping in the background"]),
        CaptionWords.Of("rain falls", ["rain is falling hard on a surface"]),
    ];

    // Values of the same independent script.
    private static readonly CaptionWords[] s_three =
    [
        CaptionWords.Of("a dog barks twice and a car passes by", ["a dog barks while a car passes", "two barks of a dog and then a car passes by"]),
        CaptionWords.Of("birds sing in the forest while water runs",
            ["birds are singing in a forest", "birds sing in the forest near running water", "water runs and birds sing"]),
        CaptionWords.Of("a bell rings", ["a church bell rings several times", "a bell rings and rings"]),
    ];

    private static readonly string[] s_words = ["a", "dog", "barks", "rain", "falls", "on", "the", "roof"];

    private static readonly Gen<string> s_caption = Gen.Int[0, 7].Select(i => s_words[i]).Array[1, 9].Select(w => string.Join(' ', w));

    private static readonly Gen<CaptionWords[]> s_items = Gen.Select(s_caption, s_caption.Array[1, 4], (c, r) => CaptionWords.Of(c, r)).Array[2, 6];

    [Fact]
    public void Cider_is_that_of_the_published_example()
    {
        var score = CiderD.Score(s_two);
        Assert.Equal(0.9613547, score.Value, 7);
        Assert.Equal([1.3640549, 0.5586545], score.Items.Select(s => Math.Round(s, 7)));
        Assert.Equal([3.7967549865, 3.0230904723, 3.6870879126], CiderD.Score(s_three).Items.Select(s => Math.Round(s, 10)));
    }

    // By hand: of two items each has its own words, so every weight is ln 2. "rain falls hard" against "rain falls": of its words two of three agree,
    // 2/√(3·2); of its pairs one of two, 1/√2; of longer sequences none. They differ by one pair: exp(−1/72). The other item is right: 1 + 1 + 1 + 0 of 4.
    [Fact]
    public void Cider_is_what_one_computes_by_hand()
    {
        var score = CiderD.Score([CaptionWords.Of("rain falls hard", ["rain falls"]), CaptionWords.Of("a dog barks", ["a dog barks"])]);
        Assert.Equal(10 * Math.Exp(-1 / 72.0) * ((2 / Math.Sqrt(6)) + (1 / Math.Sqrt(2))) / 4, score.Items[0], 12);
        Assert.Equal(7.5, score.Items[1], 12);
    }

    [Fact]
    public void Cider_of_one_caption_is_an_error()
    {
        var error = Assert.Throws<FlamingoException>(() => CiderD.Score([s_two[0]]));
        Assert.Equal("CIDEr-D weighs words by how many items use them, so it needs at least 2 captions, but got 1.", error.Message);
    }

    [Fact]
    public void A_caption_without_reference_is_an_error()
    {
        var error = Assert.Throws<FlamingoException>(() => CaptionWords.Of("rain", []));
        Assert.Equal("The caption \"rain\" has no reference to compare it with; give at least one.", error.Message);
    }

    [Fact]
    public void Bleu_is_that_of_the_published_example()
    {
        Assert.Equal(0.4278476, Bleu.Score(s_two)[0], 7);
        Assert.Equal([0.9, 0.797053397, 0.682309806, 0.542523247], Bleu.Score(s_three).Select(s => Math.Round(s, 9)));
    }

    // By hand: "the the the cat" against "the cat sat down here" and "a cat": "the" counts once, "cat" once: 2 of 4. Lengths 5 and 2: the closest to 4 is 5,
    // so the penalty is exp(1 − 5/4). Pairs: "the cat" of 3.
    [Fact]
    public void Bleu_clips_counts_and_compares_with_the_closest_length()
    {
        var scores = Bleu.Score([CaptionWords.Of("the the the cat", ["the cat sat down here", "a cat"])]);
        Assert.Equal(Math.Exp(-0.25) * 2 / 4, scores[0], 6);
        Assert.Equal(Math.Exp(-0.25) * Math.Sqrt(2 / 4.0 * 1 / 3.0), scores[1], 6);
    }

    // 3 and 5 words are equally close to 4; with the shorter there is no penalty.
    [Fact]
    public void Bleu_takes_the_shorter_of_two_equally_close_lengths() =>
        Assert.Equal(1, Bleu.Score([CaptionWords.Of("rain falls on roofs", ["rain falls on", "rain falls on roofs loudly"])])[0], 6);

    [Fact]
    public void Rouge_is_that_of_the_published_example()
    {
        var score = RougeL.Score(s_two);
        Assert.Equal(0.4870693, score.Value, 7);
        Assert.Equal([0.7721519, 0.2019868], score.Items.Select(s => Math.Round(s, 7)));
        Assert.Equal([0.8227360308, 0.75, 0.7176470588], RougeL.Score(s_three).Items.Select(s => Math.Round(s, 10)));
    }

    // By hand: "a b c d" has "a c d" in common with "a x c d y": P = 3/4, R = 3/5.
    [Fact]
    public void Rouge_allows_gaps()
    {
        double p = 3 / 4.0, r = 3 / 5.0;
        Assert.Equal(2.44 * p * r / (r + (1.44 * p)), RougeL.Score([CaptionWords.Of("one two three four", ["one nine three four ten"])]).Value, 12);
    }

    [Fact]
    public void An_empty_caption_scores_nothing()
    {
        CaptionWords[] items = [CaptionWords.Of("", ["rain falls"]), CaptionWords.Of("...", ["a dog barks"])];
        Assert.Equal(0, CiderD.Score(items).Value);
        Assert.Equal(0, RougeL.Score(items).Value);
        Assert.All(Bleu.Score(items), s => Assert.Equal(0, s));
        Assert.Equal(0, CiderD.Score([CaptionWords.Of("rain", [""]), CaptionWords.Of("dog", ["dog"])]).Items[0]);
    }

    [Fact]
    public void A_set_without_captions_is_an_error()
    {
        Assert.Equal("BLEU needs at least 1 caption, but got none.", Assert.Throws<FlamingoException>(() => Bleu.Score([])).Message);
        Assert.Equal("ROUGE-L needs at least 1 caption, but got none.", Assert.Throws<FlamingoException>(() => RougeL.Score([])).Message);
    }

    [Fact]
    public void The_right_caption_is_best()
    {
        s_caption.Where(c => c.Split(' ').Length >= 4).Array[1, 5].Sample(captions =>
        {
            CaptionWords[] items = [.. captions.Select(c => CaptionWords.Of(c, [c]))];
            Assert.All(Bleu.Score(items), s => Assert.Equal(1, s, 6));
            Assert.Equal(1, RougeL.Score(items).Value, 12);
        }, iter: 50);
    }

    [Fact]
    public void The_order_of_items_and_references_does_not_matter()
    {
        s_items.Sample(items =>
        {
            CaptionWords[] turned = [.. items.Reverse().Select(i => i with { References = [.. i.References.Reverse()] })];
            Assert.Equal(CiderD.Score(items).Items.Reverse().Select(s => Math.Round(s, 9)), CiderD.Score(turned).Items.Select(s => Math.Round(s, 9)));
            Assert.Equal(Bleu.Score(items).Select(s => Math.Round(s, 9)), Bleu.Score(turned).Select(s => Math.Round(s, 9)));
            Assert.Equal(RougeL.Score(items).Value, RougeL.Score(turned).Value, 9);
        }, iter: 50);
    }

    [Fact]
    public void Scores_stay_in_their_range()
    {
        s_items.Sample(items =>
        {
            Assert.All(CiderD.Score(items).Items, s => Assert.InRange(s, 0, 10 + 1e-9));
            Assert.All(Bleu.Score(items), s => Assert.InRange(s, 0, 1 + 1e-9));
            Assert.All(RougeL.Score(items).Items, s => Assert.InRange(s, 0, 1 + 1e-9));
        }, iter: 50);
    }
}
