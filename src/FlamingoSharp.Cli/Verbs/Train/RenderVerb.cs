using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train render</c>: every sound of the catalogue, decoded or composed, into one store.</summary>
internal sealed class RenderVerb : Verb
{
    private const int Shown = 20; // failures

    private readonly Option<string> _data = new("--data") { Description = "Folder of catalogue.jsonl, synthesis.jsonl and qa.jsonl.", HelpName = "DIR", Required = true };

    private readonly Option<string> _audio = new("--audio") { Description = "Folder of the fetched packages.", HelpName = "DIR", Required = true };

    private readonly Option<string> _out = new("--out", "-o") { Description = "Folder of the store; one that is there is completed.", HelpName = "DIR", Required = true };

    private readonly Option<string?> _demo = new("--demo") { Description = "Folder of demo clips, stored as the split 'demo'.", HelpName = "DIR" };

    private readonly Option<string[]> _splits = new("--splits") { Description = "Splits to make. Default: all.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };

    private readonly Option<int> _workers = new("--workers") { Description = "Sounds made at the same time.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };

    public RenderVerb()
        : base("render", "Decode and compose the catalogue's sounds into one store.",
            "flamingo train render --data data --audio data/audio --demo samples --out work/sounds")
    {
        foreach (Option option in new Option[] { _data, _audio, _out, _demo, _splits, _workers })
            Add(option);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var options = new RenderSoundsOptions
        {
            DataFolder = parse.GetValue(_data)!,
            AudioFolder = parse.GetValue(_audio)!,
            OutputFolder = parse.GetValue(_out)!,
            DemoFolder = parse.GetValue(_demo),
            Splits = parse.GetValue(_splits) ?? [],
            Workers = parse.GetValue(_workers),
        };
        int done = 0;
        var failures = Terminal.Track("Rendering sounds", bar => RenderSounds.Run(options, new CallbackProgress<SoundProgress>(p =>
        {
            done = p.Done;
            bar((double)p.Done / Math.Max(1, p.Total));
        }), cancellation));
        foreach (var failure in failures.Take(Shown))
            Terminal.Warn($"{failure.Id}: {failure.Reason}");
        if (failures.Count > 0)
            Terminal.Warn(string.Create(CultureInfo.InvariantCulture, $"{failures.Count} sounds could not be made; another run tries them again."));
        Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{options.OutputFolder}: {done} sounds"));
        return Task.FromResult(failures.Count == 0 ? ExitCode.Ok : ExitCode.Input);
    }
}
