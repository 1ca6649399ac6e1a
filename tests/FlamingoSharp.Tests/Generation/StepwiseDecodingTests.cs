using CsCheck;
using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Generation;

public sealed class StepwiseDecodingTests
{
    private const int Vocabulary = 23;
    private static readonly GenerationOptions Greedy = new() { StopTokens = [2, 3], MaxNewTokens = 10 };
    private static readonly GenerationOptions Sampling = Greedy with { Sample = true, TopK = 9, TopP = 0.95, Temperature = 1.2, Seed = 5, MaxNewTokens = 16 };

    [Fact, NoTensorLeak]
    public void The_stop_token_ends_a_sequence_and_stays_its_last_token()
    {
        var sequence = Single([1, 5], ScriptedSession.Script(Vocabulary, 2, 7, 8, 3, 9), Greedy);
        Assert.Equal([7, 8, 3], sequence.GeneratedIds);
        Assert.Equal([1, 5, 7, 8, 3], sequence.Ids);
        Assert.Equal(FinishReason.Stop, sequence.Finish);
    }

    [Fact, NoTensorLeak]
    public void The_last_token_allowed_ends_a_sequence()
    {
        var sequence = Single([1], ScriptedSession.Script(Vocabulary, 1, 7, 8, 9, 10), Greedy with { MaxNewTokens = 3 });
        Assert.Equal([7, 8, 9], sequence.GeneratedIds);
        Assert.Equal(FinishReason.Length, sequence.Finish);
    }

    [Fact, NoTensorLeak]
    public void A_stop_token_at_the_last_place_counts_as_a_stop()
    {
        var sequence = Single([1], ScriptedSession.Script(Vocabulary, 1, 7, 2), Greedy with { MaxNewTokens = 2 });
        Assert.Equal(FinishReason.Stop, sequence.Finish);
    }

    [Fact, NoTensorLeak]
    public void Equal_logits_give_the_lowest_token() =>
        Assert.Equal([0, 0], Single([1], _ => new float[Vocabulary], Greedy with { MaxNewTokens = 2 }).GeneratedIds);

    [Fact, NoTensorLeak]
    public void The_end_of_the_models_context_ends_a_sequence()
    {
        var session = new ScriptedSession([[1, 4, 4]], ScriptedSession.Script(Vocabulary, 3, 7, 8, 9, 10, 11));
        var sequence = Assert.Single(TokenGenerator.Run(session, [[1, 4, 4]], Greedy, context: 5).Sequences);
        Assert.Equal([7, 8, 9], sequence.GeneratedIds); // 3 + 2 tokens were fed, the last one need not be
        Assert.Equal(FinishReason.Length, sequence.Finish);
        Assert.Equal(2, session.StepRows.Count);
    }

    [Fact]
    public void A_prompt_that_does_not_fit_is_refused()
    {
        var error = Assert.Throws<FlamingoException>(() => TokenGenerator.Run(new ScriptedSession([[1, 4, 4]], _ => []), [[1, 4, 4]], Greedy, context: 2));
        Assert.Equal("The prompt has 3 tokens, but this model reads at most 2: shorten the text, or give fewer examples.", error.Message);
        Assert.Equal(FlamingoErrorKind.Usage, error.Kind);
        error = Assert.Throws<FlamingoException>(() => TokenGenerator.Run(new ScriptedSession([[]], _ => []), [[]], Greedy));
        Assert.Equal("The prompt is empty, so there is nothing to go on from: give it at least one token.", error.Message);
    }

    [Fact, NoTensorLeak]
    public void Finished_rows_leave_the_batch_and_are_padded_in_the_result()
    {
        int[][] prompts = [[1, 10], [1, 11], [1, 12]];
        // The second token of the prompt says how many tokens come before the stop.
        var session = new ScriptedSession(prompts, history =>
        {
            float[] logits = new float[Vocabulary];
            logits[history.Count - 2 == (history[1] == 11 ? 1 : 3) ? 2 : 5] = 1;
            return logits;
        });
        var result = TokenGenerator.Run(session, prompts, Greedy);
        Assert.Equal([3, 2, 2], session.StepRows);
        Assert.Equal([[1, 10, 5, 5, 5, 2], [1, 11, 5, 2, 9, 9], [1, 12, 5, 5, 5, 2]], result.PaddedIds(9));
        Assert.Equal([0, 1, 2], result.Sequences.Select(s => s.Prompt));
        Assert.Equal(7, result.Timing.DecodedTokens);
    }

    [Fact, NoTensorLeak]
    public void A_batch_equals_single_runs_token_for_token() =>
        Gen.Select(Gen.Int[4, Vocabulary - 1].Array[1, 6].Array[1, 5], Gen.Bool, Gen.Int[1, 3], Gen.Int[0, 1000]).Sample((prompts, sample, returned, salt) =>
        {
            var options = sample ? Sampling with { NumReturnSequences = returned } : Greedy;
            var model = ScriptedSession.Hashed(Vocabulary, $"{salt}");
            var batch = TokenGenerator.Run(new ScriptedSession(prompts, model), prompts, options).Sequences;
            var singles = prompts.SelectMany(p => TokenGenerator.Run(new ScriptedSession([p], model), [p], options).Sequences).ToList();
            Assert.Equal(singles.Select(s => s.GeneratedIds), batch.Select(s => s.GeneratedIds));
            Assert.Equal(singles.Select(s => s.Finish), batch.Select(s => s.Finish));
            Assert.Equal(prompts.SelectMany((_, i) => Enumerable.Repeat(i, options.NumReturnSequences)), batch.Select(s => s.Prompt));
        }, iter: 60);

    [Fact, NoTensorLeak]
    public void Several_draws_of_one_prompt_differ_and_its_seed_repeats_them()
    {
        var options = Sampling with { NumReturnSequences = 6, Seed = null, StopTokens = [] };
        GenerationResult Run(GenerationOptions o) => TokenGenerator.Run(new ScriptedSession([[1, 4]], ScriptedSession.Hashed(Vocabulary)), [[1, 4]], o);
        var first = Run(options);
        Assert.Equal([0, 1, 2, 3, 4, 5], first.Sequences.Select(s => s.Candidate));
        Assert.Equal(6, first.Sequences.Select(s => string.Join(',', s.GeneratedIds)).Distinct().Count());
        var again = Run(options with { Seed = first.Seed });
        Assert.Equal(first.Sequences.Select(s => s.GeneratedIds), again.Sequences.Select(s => s.GeneratedIds));
        Assert.NotEqual(first.Seed, Run(options).Seed);
    }

    [Fact, NoTensorLeak]
    public void Sampling_only_the_likeliest_token_is_greedy()
    {
        var model = ScriptedSession.Hashed(Vocabulary);
        Assert.Equal(Single([1, 4], model, Greedy).GeneratedIds, Single([1, 4], model, Greedy with { Sample = true, TopK = 1, Seed = 3 }).GeneratedIds);
    }

    [Theory, NoTensorLeak]
    [InlineData(1)]
    [InlineData(4)]
    public void A_cancelled_generation_ends_after_the_token_it_is_at(int token)
    {
        using var cancel = new CancellationTokenSource();
        var session = new ScriptedSession([[1]], ScriptedSession.Hashed(Vocabulary));
        var seen = new List<int>();
        Assert.Throws<OperationCanceledException>(() => TokenGenerator.Run(session, [[1]], Greedy with { StopTokens = [] }, cancellation: cancel.Token, onToken: t =>
        {
            seen.Add(t.Id);
            if (seen.Count == token)
                cancel.Cancel();
            return false;
        }));
        Assert.Equal(token, seen.Count);
        Assert.Equal(token - 1, session.StepRows.Count);
    }

    [Fact]
    public void A_generation_cancelled_beforehand_does_not_run()
    {
        var session = new ScriptedSession([[1]], _ => throw new InvalidOperationException("ran"));
        Assert.Throws<OperationCanceledException>(() => TokenGenerator.Run(session, [[1]], Greedy, cancellation: new CancellationToken(true)));
    }

    [Fact, NoTensorLeak]
    public void Every_token_is_announced_as_it_comes_and_the_listener_can_end_a_sequence()
    {
        var seen = new List<GeneratedToken>();
        int[][] prompts = [[1, 10], [1, 11]];
        var session = new ScriptedSession(prompts, ScriptedSession.Script(Vocabulary, 2, 7, 8, 9, 2));
        var result = TokenGenerator.Run(session, prompts, Greedy, onToken: t =>
        {
            seen.Add(t);
            return t is { Prompt: 0, Id: 8 };
        });
        Assert.Equal(
            [
                new(0, 0, 0, 7, null), new(1, 0, 0, 7, null), new(0, 0, 1, 8, null), new(1, 0, 1, 8, null),
                new(1, 0, 2, 9, null), new GeneratedToken(1, 0, 3, 2, FinishReason.Stop),
            ],
            seen);
        Assert.Equal([7, 8], result.Sequences[0].GeneratedIds);
        Assert.Equal(FinishReason.Stop, result.Sequences[0].Finish);
        Assert.Equal([2, 1, 1], session.StepRows);
    }

    [Fact, NoTensorLeak]
    public void Logits_and_log_probabilities_are_kept_on_request()
    {
        float[] uneven = [.. Enumerable.Repeat(0f, Vocabulary - 1), MathF.Log(Vocabulary - 1)]; // half of all for the last token
        var sequence = Single([1], _ => uneven, Greedy with { MaxNewTokens = 3, KeepLogits = true, LogProbabilities = true });
        Assert.Equal(3 * Math.Log(0.5), sequence.Score!.Value, 1e-6);
        Assert.Equal([uneven, uneven, uneven], sequence.StepLogits!);
        var plain = Single([1], _ => uneven, Greedy);
        Assert.Null(plain.Score);
        Assert.Null(plain.StepLogits);
    }

    [Fact]
    public void Options_are_checked_before_the_model_runs()
    {
        var session = new ScriptedSession([[1]], _ => throw new InvalidOperationException("ran"));
        Assert.Throws<FlamingoException>(() => TokenGenerator.Run(session, [[1]], Greedy with { TopP = 2 }));
        Assert.Throws<ArgumentException>(() => TokenGenerator.Run(session, [[1]], new GenerationOptions()));
        Assert.Throws<ArgumentException>(() => TokenGenerator.Run(session, [[1], [2]], Greedy));
    }

    private static GeneratedSequence Single(int[] prompt, Func<IReadOnlyList<int>, float[]> model, GenerationOptions options) =>
        Assert.Single(TokenGenerator.Run(new ScriptedSession([prompt], model), [prompt], options).Sequences);
}
