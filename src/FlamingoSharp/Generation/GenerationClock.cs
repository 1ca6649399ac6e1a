using System.Diagnostics;

namespace FlamingoSharp.Generation;

/// <summary>Takes the times of one generation.</summary>
internal sealed class GenerationClock
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _prefill;
    private int _tokens;

    /// <summary>The first logits are there.</summary>
    public void PrefillDone() => _prefill = _watch.Elapsed;

    /// <summary>A step has given its tokens.</summary>
    public void Decoded(int tokens) => _tokens += tokens;

    /// <summary>The times up to now.</summary>
    public GenerationTiming Read() => new(_prefill, _watch.Elapsed - _prefill, _tokens);
}
