namespace FlamingoSharp.Audio;

/// <summary>Sound that is read in blocks from front to back. A frame is one sample of every channel.</summary>
internal interface ISampleReader : IDisposable
{
    /// <summary>Frames per second, in Hz.</summary>
    int SampleRate { get; }

    /// <summary>Channels, at least 1.</summary>
    int Channels { get; }

    /// <summary>Frames still to come, where that is certain; null otherwise.</summary>
    long? RemainingFrames { get; }

    /// <summary>Defects met so far, one sentence each.</summary>
    IReadOnlyList<string> Warnings { get; }

    /// <summary>Passes over frames; fewer are passed over only where the sound ends.</summary>
    long Skip(long frames, CancellationToken cancellation);

    /// <summary>Reads whole frames; integer samples are scaled to [-1, 1) by 2^(bits-1).</summary>
    /// <param name="interleaved">Takes the samples, channel after channel within a frame; holds at least one frame.</param>
    /// <returns>The frames read; 0 at the end.</returns>
    int Read(Span<double> interleaved);

    /// <summary>Length of the sound in frames. Reads on to the end, counting, where nothing else tells it.</summary>
    long CountFrames(CancellationToken cancellation);
}
