using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Models;

/// <summary>Rotary position embedding: pairs of dimensions are turned by an angle that grows with the position.</summary>
/// <remarks>
/// Dimension i is paired with i + r/2 of the r rotated dimensions; the rest pass unchanged. All in float32.<br/>
/// Source: RoFormer (arXiv 2104.09864).
/// </remarks>
internal sealed class RotaryPositions(Tensor cosines, Tensor sines)
{
    /// <summary>Dimensions of a head that the audio transformer rotates at least.</summary>
    public const int LeastRotated = 32;

    private readonly long _rotated = cosines.shape[^1];

    /// <summary>Of each position's angles, [t, r].</summary>
    public Tensor Cosines => cosines;

    /// <summary>Of each position's angles, [t, r].</summary>
    public Tensor Sines => sines;

    /// <summary>Audio Flamingo 2's audio transformer: half of the head width (at least 32) is rotated, with base 4096.</summary>
    public static RotaryPositions ForAudio(long length, long headWidth, Device device) =>
        Create(0, length, Math.Max(headWidth / 2, LeastRotated), 4096, device);

    /// <param name="start">Position of the first token.</param> <param name="length">Tokens.</param>
    /// <param name="rotated">Rotated dimensions r.</param> <param name="theta">Base of the angles.</param> <param name="device">Where.</param>
    public static RotaryPositions Create(long start, long length, long rotated, double theta, Device device)
    {
        using var scope = NewDisposeScope();
        var inverse = tensor(Frequencies(rotated, theta), device: device);       // [r/2]
        var half = HeldScalars.Range(start, start + length, ScalarType.Float32, device).unsqueeze(1) * inverse; // [t, r/2]
        var angles = cat([half, half], -1);                                      // [t, r]
        return new RotaryPositions(angles.cos().MoveToOuterDisposeScope(), angles.sin().MoveToOuterDisposeScope());
    }

    /// <summary>By what angle one step turns each pair: theta^(-2i/r), [r/2].</summary>
    public static float[] Frequencies(long rotated, double theta) =>
        [.. Enumerable.Range(0, (int)rotated / 2).Select(i => (float)Math.Pow(theta, -2.0 * i / rotated))];

    /// <param name="x">[b, h, t, e]</param>
    /// <returns>[b, h, t, e]</returns>
    public Tensor Rotate(Tensor x)
    {
        using var scope = NewDisposeScope();
        var turned = x.narrow(-1, 0, _rotated);                                  // [b, h, t, r]
        var halves = turned.chunk(2, dim: -1);
        var result = (turned * cosines).Plus(cat([-halves[1], halves[0]], -1) * sines);
        if (_rotated < x.shape[^1])
            result = cat([result, x.narrow(-1, _rotated, x.shape[^1] - _rotated)], -1);
        return result.to_type(x.dtype).MoveToOuterDisposeScope();
    }
}
