using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Reads files of one JSON object a line.</summary>
internal static class JsonLines
{
    /// <summary>Reads every line; empty lines are passed over and unknown fields ignored.</summary>
    /// <exception cref="FlamingoException">The file is missing, or a line is not what is expected: file and line are named.</exception>
    public static List<TRecord> Read<TLine, TRecord>(string path, JsonTypeInfo<TLine> type, Func<TLine, TRecord> convert)
    {
        if (!File.Exists(path))
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' does not exist: name the folder that holds the data files.");
        List<TRecord> records = [];
        int number = 0;
        foreach (string line in File.ReadLines(path))
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            try
            {
                records.Add(convert(JsonSerializer.Deserialize(line, type) ?? throw new JsonException("the line is null")));
            }
            catch (JsonException e)
            {
                throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' line {number}: {e.Message}", e);
            }
        }
        return records;
    }
}
