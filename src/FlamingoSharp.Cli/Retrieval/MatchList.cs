using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Retrieval;

/// <summary>How many sounds are found, and how they are printed.</summary>
internal sealed class MatchList
{
    private readonly Option<int> _top = new("--top", "-k")
    {
        Description = "Sounds to find at most.",
        HelpName = "N",
        DefaultValueFactory = _ => 5,
        Validators = { r => r.AtLeast(1) },
    };

    private readonly Option<bool> _json = new("--json") { Description = "One JSON object a sound found, each on its line." };

    public void AddTo(Command command)
    {
        command.Add(_top);
        command.Add(_json);
    }

    public int TopOf(ParseResult parse) => parse.GetValue(_top);

    /// <summary>Prints what was found, a line each: similarity, file, labels or caption.</summary>
    /// <param name="parse">The command line.</param> <param name="heading">Printed before; null where there is one query only.</param>
    /// <param name="query">What was asked.</param> <param name="found">The best first.</param>
    public void Print(ParseResult parse, string? heading, string query, IReadOnlyList<SoundMatch> found)
    {
        if (!parse.GetValue(_json) && heading is not null)
            Terminal.Say($"{heading}:");
        if (found.Count == 0)
            Terminal.Note($"'{query}': the index holds no other sound.");
        for (int i = 0; i < found.Count; i++)
        {
            Terminal.Say(parse.GetValue(_json)
                ? JsonSerializer.Serialize(MatchLine.Of(query, i + 1, found[i]), CliJson.Lines.MatchLine)
                : string.Create(CultureInfo.InvariantCulture, $"{found[i].Similarity:0.0000}  {found[i].Sound.Path}{Part(found[i].Sound)}  {found[i].Sound.Meaning}").TrimEnd());
        }
    }

    private static string Part(IndexedSound sound) => sound is { StartSeconds: 0, DurationSeconds: null }
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $" [{sound.StartSeconds:0.##} s{(sound.DurationSeconds is { } d ? $" + {d:0.##} s" : "")}]");
}
