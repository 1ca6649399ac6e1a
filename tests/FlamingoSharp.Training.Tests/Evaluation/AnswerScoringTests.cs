using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>How answers become right or wrong; expected values by hand.</summary>
public sealed class AnswerScoringTests
{
    [Theory]
    [InlineData("  A Dog barks. ", "a dog barks")]
    [InlineData("air-conditioner!", "air-conditioner")]
    [InlineData("\"rock'n'roll\"", "rock'n'roll")]
    [InlineData("at 4:45, 0.5 s", "at 4:45 0.5 s")]
    [InlineData("C# & D", "c# & d")]
    [InlineData("...", "")]
    public void Answers_are_compared_without_case_and_marks(string text, string normal) => Assert.Equal(normal, AnswerWords.Normal(text));

    [Theory]
    [InlineData("A dog barks.", "dog", true)]
    [InlineData("Two dogs bark.", "dog", false)] // whole words
    [InlineData("a car horn, I think", "Car Horn", true)]
    [InlineData("anything", "", false)]
    public void Containing_means_whole_words(string answer, string label, bool contains) => Assert.Equal(contains, AnswerWords.Contains(answer, label));

    [Theory]
    [InlineData("Yes.", "yes")]
    [InlineData("no, there is none", "no")]
    [InlineData("Yesterday", null)]
    [InlineData("there is no dog", null)]
    [InlineData("", null)]
    public void Yes_and_no_stand_first(string answer, string? said) => Assert.Equal(said, AnswerWords.YesOrNo(answer));

    [Theory]
    [InlineData("The car horn", "car horn")]
    [InlineData("(A) car horn", "car horn")]
    [InlineData("a car horn and a siren", null)] // a word that only another option has
    [InlineData("a car", null)] // not all words
    public void Options_are_found_by_their_words(string answer, string? option) =>
        Assert.Equal(option, AnswerWords.ByOptionTokens(answer, ["car horn", "siren", "car engine"]));

    [Fact]
    public void Choices_count_by_words_or_letter_and_other_answers_are_unparsed()
    {
        var items = new[] { "dog", "dog", "cat", "cat" }.Select(e => Item(AnswerKind.Choice, [e], ["cat", "dog"])).ToList();
        var score = RowScorer.Score(AnswerKind.Choice, items, ["Dog.", "(B)", "a dog", "it is a cat"], null);
        Assert.Equal((0.5, 0.5, 0.5), (score["exact"], score["contains"], score["unparsed"]));
        Assert.Equal(0.5, score["macro_recall"]); // both dogs, no cat
        Assert.Equal(0.5, score["option_tokens"]); // "Dog." and "it is a cat"
        Assert.Equal((2, 0), (score.Confusion!["dog", "dog"], score.Confusion!["cat", "dog"]));
        Assert.Null(score["nearest_label"]);
    }

    [Fact]
    public void Free_answers_are_unparsed_where_nobody_expects_them()
    {
        EvaluationItem[] items = [Item(AnswerKind.Free, ["dog", "hound"]), Item(AnswerKind.Free, ["cat"]), Item(AnswerKind.Free, ["dog"])];
        var score = RowScorer.Score(AnswerKind.Free, items, ["Hound", "a cat meows", "cat"], null);
        Assert.Equal((1 / 3.0, 2 / 3.0), (score["exact"]!.Value, score["contains"]!.Value));
        Assert.Equal(1 / 3.0, score["unparsed"]!.Value);
        Assert.Equal(1, score.Confusion!["dog", "cat"]);
        Assert.Equal(0.25, score["macro_recall"]); // dog 1 of 2, cat 0 of 1
    }

    [Fact]
    public void Presence_is_scored_by_both_answers_alike()
    {
        EvaluationItem[] items = [Item(AnswerKind.YesNo, ["yes"]), Item(AnswerKind.YesNo, ["no"]), Item(AnswerKind.YesNo, ["no"]), Item(AnswerKind.YesNo, ["no"])];
        var score = RowScorer.Score(AnswerKind.YesNo, items, ["Yes", "yes", "No.", "perhaps"], null);
        Assert.Equal((1 + (1 / 3.0)) / 2, score["balanced_accuracy"]!.Value, 12);
        Assert.Equal((0.5, 0.25), (score["exact"], score["unparsed"]));
    }

    [Fact]
    public void Label_lists_are_sets()
    {
        EvaluationItem[] items = [Item(AnswerKind.Labels, ["Dog", "Bark"]), Item(AnswerKind.Labels, ["Rain"])];
        var score = RowScorer.Score(AnswerKind.Labels, items, ["bark, dog.", "wind; rain"], null);
        Assert.Equal((0.5, 2 * 3 / (3 + 4.0)), (score["exact"]!.Value, score["micro_f1"]!.Value)); // 3 right, 3 expected, 4 given
        Assert.Equal(1, score["macro_f1"]);
        Assert.Equal(0, score["unparsed"]);
    }

    [Fact]
    public void Captions_are_scored_by_words_and_by_what_they_name()
    {
        EvaluationItem[] items = [Item(AnswerKind.Caption, ["A dog barks loudly."], labels: ["dog", "count:1"]), Item(AnswerKind.Caption, ["Rain falls on a roof."], labels: ["rain"])];
        var right = RowScorer.Score(AnswerKind.Caption, items, ["a dog barks loudly", "rain falls on a roof"], null);
        Assert.Equal((1.0, 1.0, 1.0, 10.0), (right["names_it"]!.Value, right["rouge_l"]!.Value, Math.Round(right["bleu_4"]!.Value, 6), Math.Round(right["cider_d"]!.Value, 6)));
        var one = RowScorer.Score(AnswerKind.Caption, [items[0]], ["a dogfight"], null);
        Assert.Null(one["cider_d"]); // one caption has no CIDEr
        Assert.Equal(0, one["names_it"]);
    }

    [Fact]
    public void The_nearest_label_is_a_column_of_its_own()
    {
        string file = Path.GetTempFileName(), missing = file + ".missing";
        try
        {
            File.WriteAllText(file, "{\"text\":\"dog\",\"vector\":[1,0]}\n{\"text\":\"cat\",\"vector\":[0,1]}\n{\"text\":\"a hound\",\"vector\":[3,1]}\n");
            var vectors = new TextVectorFile(file, missing);
            EvaluationItem[] items = [Item(AnswerKind.Label, ["dog"], ["cat", "dog"]), Item(AnswerKind.Label, ["cat"], ["cat", "dog"])];
            var score = RowScorer.Score(AnswerKind.Label, items, ["a hound", ""], vectors);
            Assert.Equal((0.0, 0.5), (score["exact"], score["nearest_label"]));
            var error = Assert.Throws<FlamingoException>(() => vectors.Require(["dog", "wolf"]));
            Assert.Equal($"1 texts have no vector; they are listed in '{missing}': add their vectors to the file, and run the same command again.", error.Message);
            Assert.Equal("{\"text\":\"wolf\",\"vector\":[]}\n", File.ReadAllText(missing));
            File.AppendAllText(file, "{\"text\":\"wolf\",\"vector\":[1]}\n");
            Assert.Equal($"'{file}', line 4: the vector has 1 numbers, but those before have 2; all must be of one model.",
                Assert.Throws<FlamingoException>(() => new TextVectorFile(file, missing)).Message);
        }
        finally
        {
            File.Delete(file);
            File.Delete(missing);
        }
    }

    private static EvaluationItem Item(AnswerKind kind, string[] expected, string[]? choices = null, string[]? labels = null) => new()
    {
        Id = "x",
        Task = "T",
        Kind = kind,
        Sound = new("x.wav", 0, null),
        Prompt = new("", "?"),
        Expected = expected,
        Choices = choices ?? [],
        Labels = labels ?? [],
    };
}
