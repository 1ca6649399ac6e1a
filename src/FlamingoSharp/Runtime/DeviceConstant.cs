using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Runtime;

/// <summary>
/// A tensor that follows from options alone (a filter, a mask, an index): computed once, when first needed, copied once to each device
/// and element type, and in no checkpoint.
/// </summary>
/// <param name="compute">Makes the tensor on the CPU.</param>
internal sealed class DeviceConstant(Func<Tensor> compute) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(DeviceType, int, ScalarType?), Tensor> _copies = [];

    /// <summary>The constant on a device; owned here, not by the caller.</summary>
    /// <param name="device">Where it is needed.</param>
    /// <param name="type">The element type; null leaves it as it was computed.</param>
    public Tensor On(Device device, ScalarType? type = null)
    {
        lock (_gate)
        {
            var key = (device.type, device.index, type);
            if (!_copies.TryGetValue(key, out var copy))
            {
                using var scope = NewDisposeScope();
                using var noGrad = no_grad();
                var made = compute();
                copy = made.to(type ?? made.dtype, device).DetachFromDisposeScope();
                _copies[key] = copy;
            }
            return copy;
        }
    }

    /// <summary>Frees all copies.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var copy in _copies.Values)
                copy.Dispose();
            _copies.Clear();
        }
    }
}
