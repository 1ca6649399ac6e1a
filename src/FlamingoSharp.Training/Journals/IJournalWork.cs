namespace FlamingoSharp.Training.Journals;

/// <summary>What the entries of a journal depend on: a run continues another only where all of it is the same.</summary>
/// <typeparam name="TSelf">The record itself.</typeparam>
internal interface IJournalWork<in TSelf>
{
    /// <summary>What a run of this kind is, e.g. "run of captions".</summary>
    static abstract string Noun { get; }

    /// <summary>False for what was read from the first line of a file that is no journal of this kind.</summary>
    bool IsWhole();

    /// <summary>What differs from an earlier run, in words; null where nothing does.</summary>
    string? DifferenceFrom(TSelf earlier);
}
