using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Generation;

/// <summary>Golden numbers: generate of the reference model over transformers, kind generate.</summary>
[Trait("Category", "Reference")]
public sealed partial class GenerateCaseTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("generate");

    public static TheoryData<string> Whole => ReferenceSet.Cases("generate");

    [Theory, MemberData(nameof(Cases)), NoTensorLeak]
    public void Generates_the_tokens_of_the_reference(string id, string name)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var (sessions, sub) = DecodingSessions.For(reference, name);
        using var _ = sessions;
        var options = sessions.Options(sub);
        int[][] prompts = DecodingSessions.Prompts(sub);
        if (sub["expect_exception"] is not null)
        {
            if (options.NumBeams > 1 && prompts.Length > 1)
            {
                // The reference cannot search for several prompts at once; here each is answered as if it were alone.
                AssertBatchEqualsSingles(sessions, [.. prompts.Select(_ => OneRow(sub))], prompts, options);
                return;
            }
            var error = Assert.Throws<FlamingoException>(() =>
            {
                using var refused = sessions.Start(sub, options);
                TokenGenerator.Run(refused, prompts, options, sessions.Context);
            });
            Assert.Equal(FlamingoErrorKind.Usage, error.Kind);
            return;
        }

        using var session = sessions.Start(sub, options);
        var result = TokenGenerator.Run(session, prompts, options with { KeepLogits = options.NumBeams == 1 }, sessions.Context);
        Assert.Equal(sub["output_ids"]!.AsArray().Select(Ids), result.PaddedIds(sessions.PadToken));
        if (sub["sequences_scores"] is { } scores)
            TensorAssert.Close([.. scores.AsArray().Select(s => (double)s!)], [.. result.Sequences.Select(s => s.Score!.Value)], 1e-5, "scores");
        if (options.NumBeams == 1 && reference.Json["expected"] is not null)
            AssertStepLogits(reference, name, result);
    }

    /// <summary>Lengths, windows and numbers of sounds differ between the rows.</summary>
    [Theory, MemberData(nameof(Whole)), NoTensorLeak]
    public void A_batch_of_prompts_of_different_lengths_equals_single_runs_token_for_token(string id)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        using var sessions = DecodingSessions.For(reference);
        JsonObject[] rows = [.. reference.Json["cases"]!.AsArray().Select(s => s!.AsObject())
            .Where(s => s["expect_exception"] is null && !((string)s["name"]!).Contains('@') && DecodingSessions.Prompts(s) is [var only] && !only.Contains(sessions.PadToken))
            .DistinctBy(s => string.Join(',', DecodingSessions.Prompts(s)[0]))];
        if (rows.DistinctBy(Length).Count() > 1)
            rows = [.. rows.DistinctBy(Length)];
        int[][] prompts = [.. rows.Select(r => DecodingSessions.Prompts(r)[0])];
        Assert.True(prompts.Length > 1, "The case has one prompt only.");

        int most = (int)reference.Json["max_new_tokens"]!;
        var greedy = new GenerationOptions { MaxNewTokens = most, StopTokens = [(int)ReferenceModels.TokenIds(reference)["eos"]!] };
        AssertBatchEqualsSingles(sessions, rows, prompts, greedy);
        AssertBatchEqualsSingles(sessions, rows, prompts, greedy with { ReferenceFewShotBug = true });
        AssertBatchEqualsSingles(sessions, rows, prompts, greedy with { Sample = true, TopK = 30, TopP = 0.95, Seed = 11, NumReturnSequences = 2 });
        AssertBatchEqualsSingles(sessions, rows, prompts, greedy with { NumBeams = 3, NumReturnSequences = 2 });
    }

    private static void AssertBatchEqualsSingles(DecodingSessions sessions, JsonObject[] rows, int[][] prompts, GenerationOptions options)
    {
        using var together = sessions.Start(rows, prompts, options);
        var batch = TokenGenerator.Run(together, prompts, options, sessions.Context).Sequences;
        var singles = new List<GeneratedSequence>();
        for (int i = 0; i < prompts.Length; i++)
        {
            using var alone = sessions.Start([rows[i]], [prompts[i]], options);
            singles.AddRange(TokenGenerator.Run(alone, [prompts[i]], options, sessions.Context).Sequences);
        }
        Assert.Equal(singles.Select(s => s.GeneratedIds), batch.Select(s => s.GeneratedIds));
        Assert.Equal(singles.Select(s => s.Finish), batch.Select(s => s.Finish));
        Assert.Equal(prompts.SelectMany((_, i) => Enumerable.Repeat(i, options.NumReturnSequences)), batch.Select(s => s.Prompt));
    }

    private static void AssertStepLogits(ReferenceCase reference, string name, GenerationResult result)
    {
        using var golden = reference.OpenExpected();
        if (!golden.Weights.ContainsKey($"{name}/step_logits"))
            return;
        double tolerance = double.Parse(StepTolerance().Match((string)reference.Json["tolerance"]!).Groups[1].Value, CultureInfo.InvariantCulture);
        var expected = golden.Read($"{name}/step_logits"); // [b, steps, v]; a finished row goes on with pads there, and is gone here
        Assert.Equal(expected.shape[1], result.Sequences.Max(s => s.StepLogits!.Count));
        for (int row = 0; row < result.Sequences.Count; row++)
        {
            var steps = result.Sequences[row].StepLogits!;
            var actual = tensor(steps.SelectMany(s => s).ToArray(), [steps.Count, steps[0].Length]);
            TensorAssert.Close(expected[row].narrow(0, 0, steps.Count), actual, tolerance, $"logits of row {row}");
        }
    }

    private static int Length(JsonObject sub) => DecodingSessions.Prompts(sub)[0].Length;

    private static JsonObject OneRow(JsonObject sub)
    {
        var one = sub.DeepClone().AsObject();
        one.Remove("audio_embeds"); // of the whole batch; the sounds of such cases are free
        one.Remove("valid_windows_per_audio");
        one.Remove("valid_windows");
        one["input_ids"] = new JsonArray(sub["input_ids"]![0]!.DeepClone());
        return one;
    }

    private static int[] Ids(JsonNode? row) => [.. row!.AsArray().Select(id => (int)id!)];

    [GeneratedRegex(@"step_logits atol ([\d.e+-]+)")]
    private static partial Regex StepTolerance();
}
