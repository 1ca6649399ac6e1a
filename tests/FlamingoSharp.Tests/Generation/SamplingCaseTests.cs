using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Generation;

/// <summary>Golden numbers: the logits warpers of transformers, kind generate, sampling_cases.</summary>
[Trait("Category", "Reference")]
public sealed class SamplingCaseTests
{
    public static TheoryData<string, int> Cases
    {
        get
        {
            var rows = new TheoryData<string, int>();
            foreach (var reference in ReferenceSet.Current.OfKind("generate").Where(c => c.Json.ContainsKey("sampling_cases")))
            {
                foreach (var sub in reference.Json["sampling_cases"]!.AsArray())
                    rows.Add(reference.Id, (int)sub!["index"]!);
            }
            return rows;
        }
    }

    [Theory, MemberData(nameof(Cases)), NoTensorLeak]
    public void Filters_logits_as_the_reference(string id, int index)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Json["sampling_cases"]!.AsArray().Single(s => (int)s!["index"]! == index)!;
        using var golden = reference.OpenExpected();
        float[][] logits = Rows(golden.Read("sampling/logits")), filtered = Rows(golden.Read($"sampling/{index}/filtered")),
            probabilities = Rows(golden.Read($"sampling/{index}/probs"));
        int[] kept = [.. sub["kept"]!.AsArray().Select(n => (int)n!)];
        var filter = new LogitFilter((double)sub["temperature"]!, (int)sub["top_k"]!, (double)sub["top_p"]!);
        Assert.Equal(kept.Length, logits.Length);
        for (int row = 0; row < logits.Length; row++)
        {
            filter.Apply(logits[row]);
            float[] left = [.. Enumerable.Repeat(float.NegativeInfinity, logits[row].Length)], chances = new float[logits[row].Length];
            for (int i = 0; i < filter.Kept.Length; i++)
                (left[filter.Kept[i]], chances[filter.Kept[i]]) = (filter.Logits[i], filter.Probabilities[i]);

            Assert.Equal(kept[row], filter.Kept.Length);
            if (logits[row].Distinct().Count() < logits[row].Length)
            {
                // Which of several equal tokens leave depends on the sort: only their number is a promise.
                Array.Sort(left);
                Array.Sort(chances);
                Array.Sort(filtered[row]);
                Array.Sort(probabilities[row]);
            }
            Assert.Equal(filtered[row], left);
            TensorAssert.Close(Wide(probabilities[row]), Wide(chances), 1e-6, $"probabilities of row {row}");
        }
    }

    private static float[][] Rows(Tensor matrix) =>
        [.. matrix.data<float>().ToArray().Chunk((int)matrix.shape[1])];

    private static double[] Wide(float[] values) => [.. values.Select(v => (double)v)];
}
