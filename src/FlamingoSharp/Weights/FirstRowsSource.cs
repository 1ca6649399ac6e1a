using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>A source of which one matrix is cut to its first rows, or gets new ones after them: how the reference fits a language model's embedding to Audio Flamingo's tokens.</summary>
internal sealed class FirstRowsSource : IWeightSource
{
    private readonly IWeightSource _inner;
    private readonly Dictionary<string, WeightInfo> _weights;
    private readonly string? _cut;
    private readonly long _rows;
    private readonly Func<long, long, Tensor>? _draw;

    /// <summary>Takes over the inner source.</summary>
    /// <param name="inner">Where the matrix is.</param>
    /// <param name="ending">What its name ends in.</param>
    /// <param name="rows">How many are kept.</param>
    /// <param name="draw">Gives the rows that a matrix of fewer lacks, by their number and width; null leaves it as it is, since nothing says what they would be.</param>
    public FirstRowsSource(IWeightSource inner, string ending, long rows, Func<long, long, Tensor>? draw = null)
    {
        _inner = inner;
        _rows = rows;
        _draw = draw;
        _weights = new(inner.Weights);
        _cut = inner.Weights.Keys.FirstOrDefault(n => n.EndsWith(ending, StringComparison.Ordinal) && inner.Weights[n].Shape is [var all, _] && (all > rows || (all < rows && draw is not null)));
        if (_cut is not null)
            _weights[_cut] = _weights[_cut] with { Shape = [rows, _weights[_cut].Shape[1]] };
    }

    /// <inheritdoc/>
    public string Origin => _inner.Origin;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <inheritdoc/>
    public Tensor Read(string name, ScalarType? type = null)
    {
        if (name != _cut)
            return _inner.Read(name, type);
        using var whole = _inner.Read(name, type);
        if (whole.shape[0] < _rows)
        {
            using var scope = NewDisposeScope();
            var further = _draw!(_rows - whole.shape[0], whole.shape[1]);
            return cat([whole, further.to(whole.dtype)], 0).MoveToOuterDisposeScope();
        }
        return whole.narrow(0, 0, _rows); // rows lie one after another, so the first ones are contiguous
    }

    /// <inheritdoc/>
    public void Dispose() => _inner.Dispose();
}
