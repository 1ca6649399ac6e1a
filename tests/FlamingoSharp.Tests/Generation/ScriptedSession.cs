using FlamingoSharp.Generation;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Generation;

/// <summary>A model whose logits are a pure function of the tokens so far, prompt included.</summary>
internal sealed class ScriptedSession(IReadOnlyList<IReadOnlyList<int>> prompts, Func<IReadOnlyList<int>, float[]> model) : IDecodingSession
{
    private List<int>[] _rows = [.. prompts.Select(p => p.ToList())];

    public int Rows => _rows.Length;

    public int[] PromptLengths { get; private set; } = [.. prompts.Select(p => p.Count)];

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

    public Tensor Prefill() => Logits(_rows);

    public Tensor Step(ReadOnlySpan<long> tokens)
    {
        int perRow = tokens.Length / Rows;
        Assert.Equal(Rows * perRow, tokens.Length);
        StepRows.Add(Rows);
        BeforeStep?.Invoke(StepRows.Count);
        var histories = new List<IReadOnlyList<int>>();
        for (int i = 0; i < tokens.Length; i++)
        {
            _rows[i / perRow].Add((int)tokens[i]);
            histories.Add([.. _rows[i / perRow]]);
        }
        return Logits(histories);
    }

    public void Rewind()
    {
        for (int i = 0; i < Rows; i++)
            _rows[i].RemoveRange(PromptLengths[i], _rows[i].Count - PromptLengths[i]);
    }

    public void Reorder(ReadOnlySpan<long> rows)
    {
        var before = _rows;
        int[] lengths = PromptLengths;
        _rows = new List<int>[rows.Length];
        PromptLengths = new int[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            (_rows[i], PromptLengths[i]) = ([.. before[rows[i]]], lengths[rows[i]]);
    }

    public void Dispose() => Disposed = true;

    private Tensor Logits(IEnumerable<IReadOnlyList<int>> histories)
    {
        float[][] rows = [.. histories.Select(model)];
        return tensor(rows.SelectMany(r => r).ToArray(), [rows.Length, rows[0].Length]);
    }
}
