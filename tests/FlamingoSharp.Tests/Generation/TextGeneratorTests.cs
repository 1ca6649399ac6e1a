using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;

namespace FlamingoSharp.Tests.Generation;

public sealed class TextGeneratorTests
{
    private static readonly Tokenizer Mini = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));
    private static readonly GenerationOptions Options = new GenerationOptions { MaxNewTokens = 50 }.ForModel(Mini.Special);

    [Fact]
    public void The_model_stops_at_the_end_of_the_text_and_of_the_chunk() =>
        Assert.Equal([Mini.Special.Eos.Id, Mini.Special.EndOfChunk.Id], Options.StopTokens!);

    [Theory, NoTensorLeak]
    [InlineData("a dog barks")]
    [InlineData("naïve 🎵 音楽 – ok")] // characters of several tokens
    public void Pieces_are_whole_characters_and_make_up_the_text(string answer)
    {
        var pieces = new List<TextDelta>();
        var sequence = Answer(answer, Options, pieces.Add);
        Assert.Equal(answer, sequence.Text);
        Assert.Equal(answer, string.Concat(pieces.Select(p => p.Text)));
        Assert.All(pieces, p => Assert.DoesNotContain('\uFFFD', p.Text));
        Assert.Equal(FinishReason.Stop, pieces[^1].Finish);
        Assert.All(pieces.SkipLast(1), p => Assert.True(p.Finish is null && p.Text.Length > 0));
        Assert.True(pieces.Count > 2);
    }

    [Fact, NoTensorLeak]
    public void A_stop_text_ends_the_answer_and_is_not_part_of_it()
    {
        var pieces = new List<TextDelta>();
        var sequence = Answer("a dog barks. then a car", Options with { StopStrings = [". "] }, pieces.Add);
        Assert.Equal("a dog barks", sequence.Text);
        Assert.Equal("a dog barks", string.Concat(pieces.Select(p => p.Text)));
        Assert.Equal(FinishReason.Stop, sequence.Finish);
        Assert.Equal(FinishReason.Stop, pieces[^1].Finish);
        Assert.True(sequence.GeneratedIds.Count < Mini.Encode("a dog barks. then a car").Count);
    }

    [Fact, NoTensorLeak]
    public void Text_that_only_looked_like_a_stop_text_is_shown_at_the_end()
    {
        Assert.Equal("a dog.", Answer("a dog.", Options with { StopStrings = [".."] }).Text);
        var cut = Answer("a dog barks", Options with { StopStrings = ["dog!"], MaxNewTokens = Mini.Encode("a dog").Count });
        Assert.Equal("a dog", cut.Text);
        Assert.Equal(FinishReason.Length, cut.Finish);
    }

    [Fact, NoTensorLeak]
    public void A_character_cut_off_by_the_limit_shows_as_unknown()
    {
        var sequence = Answer("ok 🎵", Options with { MaxNewTokens = Mini.Encode("ok 🎵").Count - 1 });
        Assert.Equal("ok \uFFFD", sequence.Text);
        Assert.Equal(FinishReason.Length, sequence.Finish);
    }

    [Fact]
    public async Task Streams_the_texts_of_a_batch()
    {
        int[][] prompts = [[1, 10], [1, 11]];
        string[] answers = ["rain", "a siren passes by"];
        var deltas = await TextGenerator.StreamAsync(_ => new ScriptedSession(prompts, Model(prompts, answers)), prompts, Options, Mini)
            .ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(answers, deltas.GroupBy(d => d.Prompt).OrderBy(g => g.Key).Select(g => string.Concat(g.Select(d => d.Text))));
        Assert.Equal(2, deltas.Count(d => d.Finish == FinishReason.Stop));
    }

    [Fact, NoTensorLeak]
    public void Beams_are_spelled_too()
    {
        int[][] prompts = [[1, 10]];
        var result = TextGenerator.Run(new ScriptedSession(prompts, Model(prompts, ["wind"])), prompts, Options with { NumBeams = 2 }, Mini);
        Assert.Equal("wind", Assert.Single(result.Sequences).Text);
    }

    [Fact]
    public void Stop_texts_need_a_text()
    {
        var session = new ScriptedSession([[1]], _ => throw new InvalidOperationException("ran"));
        Assert.Throws<ArgumentException>(() => TokenGenerator.Run(session, [[1]], Options with { StopStrings = ["."] }));
        Assert.Throws<ArgumentException>(() => TokenGenerator.StreamAsync(_ => session, [[1]], Options with { StopStrings = ["."] }));
    }

    private static GeneratedSequence Answer(string answer, GenerationOptions options, Action<TextDelta>? onText = null)
    {
        int[][] prompts = [[1, 10]];
        return Assert.Single(TextGenerator.Run(new ScriptedSession(prompts, Model(prompts, [answer])), prompts, options, Mini, onText: onText).Sequences);
    }

    /// <summary>Gives each prompt its answer, then the end of the text.</summary>
    private static Func<IReadOnlyList<int>, float[]> Model(int[][] prompts, string[] answers)
    {
        int[][] scripts = [.. answers.Select(a => (int[])[.. Mini.Encode(a), Mini.Special.Eos.Id])];
        return history =>
        {
            int which = Array.FindIndex(prompts, p => p.SequenceEqual(history.Take(p.Length)));
            float[] logits = new float[Mini.VocabularySize];
            int at = history.Count - prompts[which].Length;
            logits[at < scripts[which].Length ? scripts[which][at] : Mini.Special.Eos.Id] = 20;
            return logits;
        };
    }
}
