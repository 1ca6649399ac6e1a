using System.Text;

namespace FlamingoSharp.Generation;

/// <summary>Looks for stop texts in a text that comes in pieces; what may be the beginning of one is held back until that is known.</summary>
internal sealed class StopTextScanner(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>True after a stop text came; it and what follows it are not part of the text.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Adds a piece.</summary>
    /// <returns>The text that is now certain to belong to the answer.</returns>
    public string Push(string piece)
    {
        if (Stopped)
            return "";
        string text = _held.Append(piece).ToString();
        _held.Clear();
        int end = stops.Select(s => text.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(-1).Min();
        Stopped = end >= 0;
        if (!Stopped)
        {
            end = FirstOpenStop(text);
            _held.Append(text, end, text.Length - end);
        }
        return text[..end];
    }

    /// <summary>Ends the text.</summary>
    /// <returns>What was held back in vain.</returns>
    public string Finish()
    {
        string rest = _held.ToString();
        _held.Clear();
        return rest;
    }

    private int FirstOpenStop(string text)
    {
        int longest = stops.Select(s => s.Length).DefaultIfEmpty(1).Max() - 1;
        for (int start = Math.Max(0, text.Length - longest); start < text.Length; start++)
        {
            if (stops.Any(s => s.AsSpan().StartsWith(text.AsSpan(start), StringComparison.Ordinal)))
                return start;
        }
        return text.Length;
    }
}
