using FlamingoSharp.Audio;
using static TorchSharp.torch;

namespace FlamingoSharp;

/// <summary>A recording as a model has heard it: encoded once, asked about as often as wanted.</summary>
public sealed class Sound : IDisposable
{
    internal Sound(Recording recording, AudioWindows windows, Tensor encodings)
    {
        Name = recording.Name;
        SecondsHeard = windows.SecondsHeard;
        SecondsDropped = windows.SecondsDropped; // those that the file's reader left out are among them
        Warnings = recording.Warnings;
        Description = recording.Describe();
        Encodings = encodings;
    }

    /// <summary>File name, or what the caller called it.</summary>
    public string Name { get; }

    /// <summary>Seconds that the model hears.</summary>
    public double SecondsHeard { get; }

    /// <summary>Seconds after those, which do not fit the model's windows.</summary>
    public double SecondsDropped { get; }

    /// <summary>Windows that were encoded.</summary>
    public int Windows => (int)Encodings.shape[0];

    /// <summary>One line on the file: format, rate, channels, what was done to it.</summary>
    public string Description { get; }

    /// <summary>What was odd about the file, e.g. that it is cut short.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>[w, h, c], real windows only.</summary>
    internal Tensor Encodings { get; }

    /// <summary>The mean of all vectors, [c].</summary>
    internal float[] MeanEncoding()
    {
        using var scope = NewDisposeScope();
        return Encodings.to_type(ScalarType.Float32).mean([0, 1]).cpu().data<float>().ToArray();
    }

    /// <inheritdoc/>
    public void Dispose() => Encodings.Dispose();
}
