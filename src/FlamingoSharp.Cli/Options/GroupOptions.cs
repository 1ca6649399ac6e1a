using System.CommandLine;
using System.Text.Json;
using System.Text.RegularExpressions;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Options;

/// <summary>Which sounds come from one recording: they are not to be found for, or shown to, each other.</summary>
internal sealed class GroupOptions
{
    private readonly Option<string?> _file = new("--groups")
    {
        Description = "Sounds of one group are never each other's neighbours or examples: a JSON object of sound file and group, the files relative to it.",
        HelpName = "FILE",
    };

    private readonly Option<string?> _pattern = new("--group-by")
    {
        Description = "The same, where the group is the part of a sound's path that a regular expression finds: its first brackets, else all of it.",
        HelpName = "REGEX",
    };

    public void AddTo(Command command)
    {
        command.Add(_file);
        command.Add(_pattern);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_file) is not null && result.GetValue(_pattern) is not null)
                result.AddError("Give --groups or --group-by, not both.");
        });
    }

    /// <summary>The group of a sound; null for one that stands alone.</summary>
    /// <exception cref="FlamingoException">The file or the expression cannot be read.</exception>
    public Func<IndexedSound, string?> Read(ParseResult parse) => parse.GetValue(_file) is { } file ? OfFile(file)
        : parse.GetValue(_pattern) is { } pattern ? OfPattern(pattern)
        : _ => null;

    private static Func<IndexedSound, string?> OfFile(string file)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        Dictionary<string, string> groups = [];
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var entry in document.RootElement.EnumerateObject())
                groups[Path.GetFullPath(entry.Name, folder)] = entry.Value.GetString()!;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"The file of groups '{file}' does not exist; check the path.", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{file}' is not a JSON object of files and their groups: {e.Message}", e);
        }
        return sound => groups.GetValueOrDefault(Path.GetFullPath(sound.Path));
    }

    private static Func<IndexedSound, string?> OfPattern(string pattern)
    {
        Regex expression;
        try
        {
            expression = new Regex(pattern, RegexOptions.CultureInvariant);
        }
        catch (ArgumentException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"--group-by is not a regular expression: {e.Message}", e);
        }
        return sound => expression.Match(sound.Path) is { Success: true } match ? match.Groups[match.Groups.Count > 1 ? 1 : 0].Value : null;
    }
}
