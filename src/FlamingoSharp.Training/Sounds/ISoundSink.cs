namespace FlamingoSharp.Training.Sounds;

/// <summary>Where decoded and rendered sounds go. Only one thread writes.</summary>
internal interface ISoundSink
{
    /// <summary>Sounds that are there.</summary>
    int Count { get; }

    /// <summary>True for a sound that need not be made.</summary>
    bool Has(string id);

    /// <summary>Takes a sound.</summary>
    /// <param name="id">Which.</param>
    /// <param name="split">The part of the data that it belongs to.</param>
    /// <param name="samples">Mono, peak-normalised.</param>
    /// <param name="cut">True where the sound goes on after them.</param>
    void Append(string id, string split, short[] samples, bool cut);
}
