using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Embeddings;

namespace FlamingoSharp.Cli;

/// <summary><c>classify --zero-shot</c>: a CLAP model sorts one file after another.</summary>
internal static class ZeroShotRun
{
    /// <summary>Sorts every file; goes on after a bad one.</summary>
    /// <returns>0, or the exit code of the first error.</returns>
    public static int Run(
        RunOptions options, ParseResult parse, IEnumerable<string> arguments, IReadOnlyList<string> labels, string? template, string? tokenizer,
        CancellationToken cancellation)
    {
        var files = InputFiles.Expand(arguments);
        options.Model.UseThreads(parse);
        using var clap = ClapOptions.Load(options.Model.NamedIn(parse), tokenizer, options.Model.DeviceOf(parse));
        var zeroShot = new ZeroShot(clap, labels, template);
        var (start, duration) = options.Hearing.PartOf(parse);
        bool json = parse.GetValue(options.Json);
        return ClapRun.Each(files, clap, start, duration, (file, sound) =>
        {
            var scores = zeroShot.Score(sound.Vector);
            if (json)
            {
                Terminal.Say(JsonSerializer.Serialize(
                    new ZeroShotLine
                    {
                        File = file,
                        Label = scores[0].Label,
                        Probability = scores[0].Probability,
                        Scores = [.. scores.Select(s => new LabelScoreLine(s.Label, s.Probability, s.Similarity))],
                        SecondsHeard = Math.Round(sound.SecondsHeard, 3),
                        SecondsDropped = Math.Round(sound.SecondsDropped, 3),
                        Warnings = sound.Warnings,
                        Model = clap.Config.Name,
                        WeightsHash = clap.WeightsHash,
                        Template = zeroShot.Template,
                        LogitScale = clap.LogitScale,
                    },
                    CliJson.Lines.ZeroShotLine));
            }
            else
            {
                Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{(files.Count > 1 ? file + ": " : "")}{scores[0].Label} ({scores[0].Probability:0 %})"));
            }
        }, cancellation);
    }
}
