using System.Collections;

namespace FlamingoSharp.Cli.Output;

/// <summary>Names and values in two columns.</summary>
internal sealed class Rows : IEnumerable<(string Name, string Value)>
{
    private readonly List<(string Name, string Value)> _rows = [];

    public void Add(string name, string value) => _rows.Add((name, value));

    public void Print()
    {
        int width = _rows.Max(r => r.Name.Length);
        foreach (var (name, value) in _rows)
            Terminal.Say($"{name.PadRight(width)}  {value}");
    }

    public IEnumerator<(string Name, string Value)> GetEnumerator() => _rows.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
