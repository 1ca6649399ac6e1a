using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Runtime;

/// <summary>The devices that a model can run on.</summary>
internal static class Devices
{
    /// <summary>Reads <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    /// <exception cref="FlamingoException">The text is none of these, or the device cannot be used here.</exception>
    public static Device Parse(string text)
    {
        string[] parts = text.Trim().ToLowerInvariant().Split(':');
        if (parts is ["cpu"])
            return CPU;
        int index = 0;
        if (parts[0] != "cuda" || parts.Length > 2
            || (parts.Length == 2 && !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index)))
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"There is no device '{text}'. Use cpu, cuda or cuda:N.");
        }
        if (!cuda.is_available())
        {
            throw new FlamingoException(FlamingoErrorKind.Device,
                $"'{text}' cannot be used: this libtorch has no CUDA, or finds no GPU. Name a CUDA build with {NativeRuntime.LibTorchVariable}, or use cpu. 'flamingo doctor' tells more.");
        }
        if (index >= cuda.device_count())
            throw new FlamingoException(FlamingoErrorKind.Device, $"'{text}' cannot be used: there are {cuda.device_count()} GPUs, counted from 0.");
        return new Device(DeviceType.CUDA, index);
    }
}
