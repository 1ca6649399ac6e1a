using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Encoders;

/// <summary>Stretches the time axis by cubic interpolation (a = -0.75), first frame on first and last on last.</summary>
/// <param name="frames">Frames wanted.</param>
internal sealed class TimeStretch(int frames) : IDisposable
{
    private const double A = -0.75;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, DeviceConstant> _matrices = [];

    /// <param name="spectrogram">[n, f, m], f at most the frames wanted</param>
    /// <returns>[n, frames, m]</returns>
    public Tensor forward(Tensor spectrogram)
    {
        long given = spectrogram.shape[1];
        if (given == frames)
            return spectrogram.alias();
        DeviceConstant? matrix;
        lock (_gate)
        {
            if (!_matrices.TryGetValue(given, out matrix))
                _matrices[given] = matrix = new DeviceConstant(() => tensor(Weights(given), frames, given));
        }
        return matrix.On(spectrogram.device, spectrogram.dtype).matmul(spectrogram);
    }

    // Each frame wanted is a mix of four given ones; taps beyond the edges fall on the edge.
    private float[] Weights(long given)
    {
        float[] weights = new float[frames * given];
        for (int i = 0; i < frames; i++)
        {
            double at = frames == 1 ? 0 : i * ((given - 1.0) / (frames - 1));
            long first = (long)Math.Floor(at);
            for (int tap = -1; tap <= 2; tap++)
                weights[i * given + Math.Clamp(first + tap, 0, given - 1)] += (float)Cubic(Math.Abs(at - first - tap));
        }
        return weights;
    }

    private static double Cubic(double distance) => distance switch
    {
        <= 1 => ((A + 2) * distance - (A + 3)) * distance * distance + 1,
        < 2 => ((A * distance - 5 * A) * distance + 8 * A) * distance - 4 * A,
        _ => 0,
    };

    public void Dispose()
    {
        foreach (var matrix in _matrices.Values)
            matrix.Dispose();
    }
}
