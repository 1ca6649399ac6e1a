namespace FlamingoSharp.Training;

/// <summary>Going on without what cannot be read.</summary>
internal static class UnreadableSounds
{
    /// <summary>What is read; null if a sound of it cannot be.</summary>
    /// <param name="unreadable">Told why; may throw.</param> <param name="read">Reads.</param>
    public static T? TryRead<T>(this Action<FlamingoException> unreadable, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
        {
            unreadable(e);
            return null;
        }
    }
}
