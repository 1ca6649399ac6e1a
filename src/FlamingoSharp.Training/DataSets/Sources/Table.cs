using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>A row of a table, whether a line of CSV or an object of JSON Lines.</summary>
/// <param name="File">The table's file.</param>
/// <param name="Line">The line where the row begins, from 1.</param>
/// <param name="Cells">Texts by column; a JSON list has several.</param>
internal sealed record TableRow(string File, int Line, IReadOnlyDictionary<string, IReadOnlyList<string>> Cells)
{
    /// <summary>How messages name the row.</summary>
    public string Place => string.Create(CultureInfo.InvariantCulture, $"'{File}' line {Line}");

    /// <summary>True where the row has something in a column.</summary>
    public bool Has(string column) => Cells.TryGetValue(column, out var cell) && cell.Any(c => c.Length > 0);

    /// <summary>The text of a column.</summary>
    /// <exception cref="FlamingoException">The column is missing, or empty in this row.</exception>
    public string Text(string column) => Has(column) ? string.Join(';', Cells[column]) : throw Wrong(column, "is empty; every row needs it");

    /// <summary>The text of a column that may be missing or empty.</summary>
    public string TextOr(string column, string other) => Has(column) ? Text(column) : other;

    /// <summary>The texts of a column that may be missing: a JSON list, or texts with ';' or '|' between them.</summary>
    public IReadOnlyList<string> List(string column) => !Has(column) ? []
        : Cells[column] is { Count: > 1 } several ? several
        : Text(column).Split([';', '|'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A number of seconds that may be missing.</summary>
    /// <exception cref="FlamingoException">It is no number, or negative.</exception>
    public double? Seconds(string column) => !Has(column) ? null
        : double.TryParse(Text(column), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && double.IsFinite(seconds) && seconds >= 0 ? seconds
        : throw Wrong(column, $"is '{Text(column)}'; expected seconds, 0 or more");

    /// <summary>The error of a cell.</summary>
    public FlamingoException Wrong(string column, string what) => new(FlamingoErrorKind.Input, $"{Place}, column '{column}': {what}.");
}

/// <summary>Reads tables.</summary>
internal static class Table
{
    /// <summary>Reads CSV (by RFC 4180; comma, semicolon or tab, whichever the header has) or, by the ending .jsonl or .json, an object a line.</summary>
    /// <exception cref="FlamingoException">The file is missing or not of its form: line and column are named.</exception>
    public static IEnumerable<TableRow> Read(string path)
    {
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"The table '{path}' does not exist; check the path.");
        return Path.GetExtension(path).ToLowerInvariant() is ".jsonl" or ".json" or ".ndjson" ? ReadJson(path) : ReadCsv(path);
    }

    private static IEnumerable<TableRow> ReadJson(string path)
    {
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line))
                yield return new TableRow(path, number, Cells(path, number, line));
        }
    }

    private static Dictionary<string, IReadOnlyList<string>> Cells(string path, int number, string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => Cell(p.Value), StringComparer.OrdinalIgnoreCase);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' line {number}: expected a JSON object, but {e.Message}", e);
        }
    }

    private static IReadOnlyList<string> Cell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => [],
        JsonValueKind.Array => [.. value.EnumerateArray().SelectMany(Cell)],
        JsonValueKind.String => [value.GetString()!],
        _ => [value.GetRawText()],
    };

    private static IEnumerable<TableRow> ReadCsv(string path)
    {
        using var reader = new StreamReader(path, Encoding.UTF8);
        int line = 1;
        string? head = reader.ReadLine();
        if (string.IsNullOrWhiteSpace(head))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' is empty: expected a header with the names of the columns.");
        char between = new[] { ',', ';', '\t' }.MaxBy(c => head.Count(h => h == c));
        string[] columns = [.. Fields(head, between, reader, path, ref line).Select(c => c.Trim())];
        if (columns.GroupBy(c => c, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' line 1: the column '{twice.Key}' occurs twice.");
        while (reader.ReadLine() is { } text)
        {
            int first = ++line;
            if (text.Length == 0)
                continue;
            var fields = Fields(text, between, reader, path, ref line);
            if (fields.Count != columns.Length)
            {
                throw new FlamingoException(FlamingoErrorKind.Input,
                    $"'{path}' line {first}: {fields.Count} fields, but the header has {columns.Length}; a text with '{between}' in it needs quotes.");
            }
            yield return new TableRow(path, first, columns.Zip(fields).ToDictionary(
                c => c.First, c => (IReadOnlyList<string>)(c.Second.Length == 0 ? [] : [c.Second]), StringComparer.OrdinalIgnoreCase));
        }
    }

    // A quoted field may go on over the end of its line.
    private static List<string> Fields(string text, char between, StreamReader reader, string path, ref int line)
    {
        List<string> fields = [];
        var field = new StringBuilder();
        int begun = line;
        bool quoted = false;
        for (int i = 0; ; i++)
        {
            if (i == text.Length)
            {
                if (!quoted)
                    break;
                text = reader.ReadLine() ?? throw new FlamingoException(FlamingoErrorKind.Input,
                    $"'{path}' line {begun}, column {fields.Count + 1}: a quote is opened and never closed.");
                (i, line) = (-1, line + 1);
                field.Append('\n');
            }
            else if (quoted && text[i] == '"')
            {
                if (i + 1 < text.Length && text[i + 1] == '"')
                    field.Append(text[i++]);
                else
                    quoted = false;
            }
            else if (!quoted && text[i] == '"' && field.Length == 0)
            {
                quoted = true;
            }
            else if (!quoted && text[i] == between)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(text[i]);
            }
        }
        fields.Add(field.ToString());
        return fields;
    }
}
