using FlamingoSharp.Generation;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Generation;

/// <summary>A model whose logits are a pure function of the tokens so far, prompt included.</summary>
internal sealed class ScriptedSession(IReadOnlyList<IReadOnlyList<int>> prompts, Func<IReadOnlyList<int>, float[]> model) : IDecodingSession
{
    private List<int>[] _rows = [.. prompts.Select(p => p.ToList())];

    public int Rows => _rows.Length;

    public int[] PromptLengths { get; } = [.. prompts.Select(p => p.Count)];

    /// <summary>Rows that were fed in each step.</summary>
    public List<int> StepRows { get; } = [];

    public bool Disposed { get; private set; }

    /// <summary>Called before each step with its number, from 1.</summary>
    public Action<int>? BeforeStep { get; init; }

    /// <summary>Logits that hash the whole history: no two histories look alike, and earlier tokens matter.</summary>
    public static Func<IReadOnlyList<int>, float[]> Hashed(int vocabulary, string salt = "") => history =>
        SyntheticWeights.Values($"{salt}/{string.Join(',', history)}", vocabulary, 0, 4);

    /// <summary>Puts one token far above the others: those of the script, one after the other, whatever the prompt.</summary>
    public static Func<IReadOnlyList<int>, float[]> Script(int vocabulary, int promptLength, params int[] tokens) => history =>
    {
        float[] logits = new float[vocabulary];
        logits[tokens[history.Count - promptLength]] = 9;
        return logits;
    };

    public Tensor Prefill() => Logits();

    public Tensor Step(ReadOnlySpan<long> tokens)
    {
        Assert.Equal(Rows, tokens.Length);
        StepRows.Add(tokens.Length);
        BeforeStep?.Invoke(StepRows.Count);
        for (int i = 0; i < tokens.Length; i++)
            _rows[i].Add((int)tokens[i]);
        return Logits();
    }

    public void Reorder(ReadOnlySpan<long> rows)
    {
        var before = _rows;
        _rows = new List<int>[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            _rows[i] = [.. before[rows[i]]];
    }

    public void Dispose() => Disposed = true;

    private Tensor Logits()
    {
        float[][] rows = [.. _rows.Select(model)];
        return tensor(rows.SelectMany(r => r).ToArray(), [rows.Length, rows[0].Length]);
    }
}
