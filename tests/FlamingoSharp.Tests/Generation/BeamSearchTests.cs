using CsCheck;
using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Generation;

public sealed class BeamSearchTests
{
    private static readonly GenerationOptions Beams = new() { StopTokens = [2], NumBeams = 3, NumReturnSequences = 3, MaxNewTokens = 8 };

    [Fact, NoTensorLeak]
    public void Finds_the_hypotheses_of_a_search_written_by_the_letter() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[2, 5], Gen.Int[1, 9], Gen.Int[-2, 4].Select(i => i / 2.0), Gen.Bool, Gen.Int[0, 9999], Gen.Int[1, 2])
        .Sample((promptLength, beams, tokens, penalty, af2, salt, stops) =>
        {
            int[] prompt = [.. Enumerable.Repeat(1, promptLength)];
            var options = new GenerationOptions
            {
                NumBeams = beams,
                NumReturnSequences = beams,
                MaxNewTokens = tokens,
                LengthPenalty = penalty,
                BeamLengthRule = af2 ? BeamLengthRule.GeneratedWithStop : BeamLengthRule.PromptAndGenerated,
                StopTokens = [.. Enumerable.Range(2, stops)],
            };
            var model = ScriptedSession.Hashed(17, $"{salt}");
            var expected = ByTheLetter(prompt, model, options);
            var actual = Run([prompt], model, options);
            Assert.Equal(expected.Select(h => h.Tokens), actual.Select(s => s.GeneratedIds));
            foreach (var (hypothesis, sequence) in expected.Zip(actual))
                Assert.Equal(hypothesis.Score, sequence.Score!.Value, 1e-9);
            Assert.All(actual, s => Assert.Equal(options.StopTokens.Contains(s.GeneratedIds[^1]) ? FinishReason.Stop : FinishReason.Length, s.Finish));
            Assert.Equal(Enumerable.Range(0, beams), actual.Select(s => s.Candidate));
        }, iter: 300);

    [Fact, NoTensorLeak]
    public void A_stop_token_ranked_after_the_beams_ends_nothing()
    {
        // Of 2 beams' 4 candidates the stop token is the third best at every step: it is passed over.
        Func<IReadOnlyList<int>, float[]> model = _ => [0, 0, 3, 5, 4, 0, 0];
        var sequences = Run([[1]], model, Beams with { NumBeams = 2, NumReturnSequences = 2, MaxNewTokens = 1 });
        Assert.Equal([[3], [4]], sequences.Select(s => s.GeneratedIds));
        Assert.All(sequences, s => Assert.Equal(FinishReason.Length, s.Finish));
    }

    [Fact, NoTensorLeak]
    public void A_stop_token_ranked_among_the_beams_ends_a_hypothesis()
    {
        Func<IReadOnlyList<int>, float[]> model = _ => [0, 0, 4.5f, 5, 4, 0, 0];
        var sequences = Run([[1]], model, Beams with { NumBeams = 2, NumReturnSequences = 2, MaxNewTokens = 1, BeamLengthRule = BeamLengthRule.GeneratedWithStop });
        Assert.Equal([[3], [2]], sequences.Select(s => s.GeneratedIds));
        Assert.Equal([FinishReason.Length, FinishReason.Stop], sequences.Select(s => s.Finish));
    }

    [Fact, NoTensorLeak]
    public void The_length_rules_count_what_the_two_models_count()
    {
        // One sure token, then one sure stop: the sum of log-probabilities is that of two tokens.
        Func<IReadOnlyList<int>, float[]> model = history => history.Count == 3 ? [0, 0, 0, 5, 0, 0, 0] : [0, 0, 5, 0, 0, 0, 0];
        double sum = 2 * (5 - Math.Log(Math.Exp(5) + 6));
        double Score(BeamLengthRule rule) => Run([[1, 1, 1]], model, Beams with { NumBeams = 2, NumReturnSequences = 1, BeamLengthRule = rule })[0].Score!.Value;
        Assert.Equal(sum / 4, Score(BeamLengthRule.PromptAndGenerated), 1e-6); // 3 of the prompt + 1
        Assert.Equal(sum / 2, Score(BeamLengthRule.GeneratedWithStop), 1e-6);
    }

    [Fact, NoTensorLeak]
    public void A_settled_search_ends_early()
    {
        // The stop token is nearly certain: after two steps nothing better can come.
        Func<IReadOnlyList<int>, float[]> model = _ => [0, 0, 9, 0, 0, 0, 0];
        var session = new ScriptedSession([[1]], model);
        var result = TokenGenerator.Run(session, [[1]], Beams with { NumBeams = 2, NumReturnSequences = 1, MaxNewTokens = 100 });
        Assert.Equal([2], result.Sequences[0].GeneratedIds);
        Assert.InRange(session.StepRows.Count, 1, 3);
    }

    [Fact, NoTensorLeak]
    public void A_batch_equals_single_runs_token_for_token() =>
        Gen.Select(Gen.Int[4, 16].Array[1, 6].Array[1, 4], Gen.Int[2, 4], Gen.Int[0, 1000]).Sample((prompts, beams, salt) =>
        {
            var options = Beams with { NumBeams = beams, NumReturnSequences = 2, MaxNewTokens = 12 };
            var model = ScriptedSession.Hashed(17, $"{salt}");
            var batch = Run(prompts, model, options);
            var singles = prompts.SelectMany(p => Run([p], model, options)).ToList();
            Assert.Equal(singles.Select(s => s.GeneratedIds), batch.Select(s => s.GeneratedIds));
            Assert.Equal(singles.Select(s => s.Score), batch.Select(s => s.Score));
        }, iter: 40);

    [Fact, NoTensorLeak]
    public void A_search_is_cancelled_between_steps()
    {
        using var cancel = new CancellationTokenSource();
        var session = new ScriptedSession([[1]], ScriptedSession.Hashed(17)) { BeforeStep = n => { if (n == 2) cancel.Cancel(); } };
        Assert.Throws<OperationCanceledException>(() => TokenGenerator.Run(session, [[1]], Beams with { StopTokens = [] }, cancellation: cancel.Token));
        Assert.Equal(2, session.StepRows.Count);
    }

    [Fact, NoTensorLeak]
    public void More_beams_than_tokens_are_refused()
    {
        var error = Assert.Throws<FlamingoException>(() => Run([[1]], ScriptedSession.Hashed(3), Beams with { NumBeams = 4 }));
        Assert.Equal("4 beams need more tokens to choose from than this model's vocabulary of 3: use fewer beams.", error.Message);
    }

    private static IReadOnlyList<GeneratedSequence> Run(int[][] prompts, Func<IReadOnlyList<int>, float[]> model, GenerationOptions options) =>
        TokenGenerator.Run(new ScriptedSession(prompts, model), prompts, options).Sequences;

    /// <summary>One prompt, everything sorted, nothing shared: the procedure of transformers' beam scorer in its own order.</summary>
    private static List<(List<int> Tokens, double Score)> ByTheLetter(int[] prompt, Func<IReadOnlyList<int>, float[]> model, GenerationOptions options)
    {
        int k = options.NumBeams, stops = options.StopTokens!.Count;
        bool af2 = options.BeamLengthRule == BeamLengthRule.GeneratedWithStop;
        double Penalty(int length) => Math.Pow(length, options.LengthPenalty);
        List<(List<int> Tokens, double Sum)> rows = [.. Enumerable.Range(0, k).Select(i => (new List<int>(), i == 0 ? 0.0 : -1e9))];
        List<(List<int> Tokens, double Score)> finished = [];
        void Add(List<int> tokens, double score)
        {
            if (finished.Count < k || score > finished.Min(h => h.Score))
                finished.Add((tokens, score));
            if (finished.Count > k)
                finished.RemoveAt(finished.FindIndex(h => h.Score == finished.Min(g => g.Score)));
        }

        bool done = false;
        for (int step = 1; step <= options.MaxNewTokens && !done; step++)
        {
            var scores = rows.SelectMany((row, r) =>
            {
                float[] logits = model([.. prompt, .. row.Tokens]);
                double total = Math.Log(logits.Sum(x => Math.Exp(x)));
                return logits.Select((x, token) => (Row: r, Token: token, Sum: x - total + row.Sum));
            }).OrderByDescending(c => c.Sum).Take(Math.Max(2, 1 + stops) * k).ToList();
            double length = Penalty(af2 ? step : prompt.Length + step - 1);
            var next = new List<(List<int>, double)>();
            for (int rank = 0; rank < scores.Count && next.Count < k; rank++)
            {
                var (row, token, sum) = scores[rank];
                if (!options.StopTokens.Contains(token))
                    next.Add(([.. rows[row].Tokens, token], sum));
                else if (rank < k)
                    Add([.. rows[row].Tokens, token], sum / length);
            }
            rows = next;
            done = finished.Count == k && finished.Min(h => h.Score) >= scores[0].Sum / length;
        }
        if (!done)
        {
            foreach (var (tokens, sum) in rows)
                Add(tokens, sum / Penalty(af2 ? tokens.Count : prompt.Length + tokens.Count));
        }
        return [.. finished.OrderByDescending(h => h.Score)];
    }
}
