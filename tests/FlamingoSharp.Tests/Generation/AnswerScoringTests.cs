using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Generation;

/// <summary>Sums of log-probabilities of given answers, on logits that depend on every token before them.</summary>
public sealed class AnswerScoringTests
{
    private const int Vocabulary = 23, End = 2;

    private static readonly int[] s_prompt = [5, 6, 7], s_other = [9];

    // Of one token, of several, one that begins with another.
    private static readonly int[][] s_answers = [[End], [4, End], [4, 8, End], [11, 3, 4, 8, 20, End], [8, 4, End]];

    [Theory]
    [InlineData(1, new[] { 1, 1, 1, 1 })] // not even one row fits: it runs all the same; the answer of one token needs no pass
    [InlineData(18, new[] { 2, 2, 1 })]
    [InlineData(1000, new[] { 5 })]
    public void The_sums_are_the_same_in_any_number_of_passes(int mostTokens, int[] rows)
    {
        var session = new ScriptedSession([s_prompt], ScriptedSession.Hashed(Vocabulary));
        var (sums, timing) = new AnswerScoring(Vocabulary, 100, mostTokens).Run(session, [new AnswerTokens(s_prompt, s_answers)], TestContext.Current.CancellationToken);
        Assert.Equal(Expected(s_prompt, s_answers), Assert.Single(sums));
        Assert.Equal(rows, session.StepRows);
        Assert.Equal(s_answers.Sum(a => a.Length), timing.DecodedTokens);
    }

    [Fact]
    public void Prompts_of_other_lengths_with_other_answers_share_a_pass()
    {
        AnswerTokens[] questions = [new(s_prompt, s_answers[1..4]), new(s_other, s_answers)];
        var session = new ScriptedSession([s_prompt, s_other], ScriptedSession.Hashed(Vocabulary));
        var (sums, _) = new AnswerScoring(Vocabulary, 100).Run(session, questions, TestContext.Current.CancellationToken);
        Assert.Equal([Expected(s_prompt, s_answers[1..4]), Expected(s_other, s_answers)], sums);
        Assert.Equal([8], session.StepRows);
    }

    [Fact]
    public void Batches_hold_what_fits_and_a_question_with_too_many_answers_is_one_of_its_own()
    {
        AnswerTokens few = new([.. Enumerable.Repeat(1, 10)], [[1, End], [3, End]]), many = new(few.Prompt, [.. Enumerable.Range(0, 10).Select(i => new[] { i, End })]);
        AnswerTokens[] questions = [few, few, few, many, few];
        // 12 tokens a row, so five rows a pass.
        Assert.Equal([[0, 1], [2], [3], [4]], new AnswerScoring(Vocabulary, 100, 60).Batches(Enumerable.Range(0, 5), i => questions[i]));
        Assert.Equal([[0, 1, 2, 3, 4]], new AnswerScoring(Vocabulary, 100).Batches(Enumerable.Range(0, 5), i => questions[i]));

        // Each fits the context alone; the longer prompt and the longer answer do not fit it together.
        AnswerTokens longPrompt = new([.. Enumerable.Repeat(1, 18)], [[1, End]]), longAnswer = new([1], [[.. Enumerable.Repeat(1, 18), End]]);
        Assert.Equal([[0], [1]], new AnswerScoring(Vocabulary, 20).Batches([0, 1], i => i == 0 ? longPrompt : longAnswer));
        var e = Assert.Throws<FlamingoException>(() => new AnswerScoring(Vocabulary, 18).Batches([0], _ => longPrompt));
        Assert.Equal((FlamingoErrorKind.Usage,
            "The prompt has 18 tokens and the longest answer 2, but this model reads at most 18 together. Shorten the question or the answers, or give fewer."), (e.Kind, e.Message));
    }

    [Fact, NoTensorLeak]
    public void Cancellation_is_seen_between_passes()
    {
        using var stop = new CancellationTokenSource();
        var session = new ScriptedSession([s_prompt], ScriptedSession.Hashed(Vocabulary)) { BeforeStep = step => { if (step == 2) stop.Cancel(); } };
        Assert.ThrowsAny<OperationCanceledException>(() => new AnswerScoring(Vocabulary, 100, 1).Run(session, [new AnswerTokens(s_prompt, s_answers)], stop.Token));
        Assert.Equal(2, session.StepRows.Count);
    }

    // One token after the other, each behind everything before it.
    private static double[] Expected(int[] prompt, int[][] answers)
    {
        var model = ScriptedSession.Hashed(Vocabulary);
        return [.. answers.Select(answer =>
        {
            double first = 0, rest = 0;
            for (int i = 0; i < answer.Length; i++)
            {
                float[] logits = model([.. prompt, .. answer[..i]]);
                double term = logits[answer[i]] - LogitMath.LogSumExp(logits);
                if (i == 0)
                    first = term;
                else
                    rest += term;
            }
            return first + rest;
        })];
    }
}
