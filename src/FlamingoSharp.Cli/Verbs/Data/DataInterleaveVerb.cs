using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Cli.Verbs.Data;

/// <summary><c>flamingo data interleave</c>: few-shot manifests over the plain ones.</summary>
internal sealed class DataInterleaveVerb : Verb
{
    private readonly Argument<string> _path = new("set") { Description = "The data set's folder; its set.json will list the new manifests." };

    private readonly Option<int> _shots = new("--shots") { Description = "Examples shown before each question.", HelpName = "K", DefaultValueFactory = _ => new InterleaveOptions().Shots, Validators = { r => r.AtLeast(1) } };

    private readonly Option<bool> _random = new("--random") { Description = "Draw the shots at random from the training split. Default: those whose sounds are most alike, as a CLAP model hears them." };

    private readonly Option<string?> _clap = ClapOptions.Model("--clap");

    private readonly Option<string?> _tokenizer = ClapOptions.Tokenizer();

    private readonly Option<string?> _index = new("--index")
    {
        Description = $"Take the sounds' vectors from this index, and keep in it those that it lacks: {IndexOptions.Places}. A run that was stopped then goes on.",
        HelpName = "INDEX",
    };

    private readonly Option<string> _device = new("--device") { Description = "Where the CLAP model runs: cpu, cuda or cuda:N.", HelpName = "DEVICE", DefaultValueFactory = _ => "cpu" };

    private readonly Option<string[]> _tasks = new("--tasks") { Description = "Only these tasks (Dataset-Task). Default: all.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };

    private readonly Option<string[]> _splits = new("--splits") { Description = "Only these splits. Default: all.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };

    private readonly Option<int> _seed = new("--seed") { Description = "Another seed draws other shots.", HelpName = "N" };

    public DataInterleaveVerb()
        : base("interleave", "Write few-shot manifests: examples of the training split before each question.",
            "flamingo data interleave sets/sounds --shots 4 --index sounds.db",
            "flamingo data interleave sets/sounds --shots 4 --random")
    {
        Add(_path);
        foreach (Option option in new Option[] { _shots, _random, _clap, _tokenizer, _index, _device, _tasks, _splits, _seed })
            Add(option);
        Validators.Add(command =>
        {
            if (command.GetValue(_random) && (command.GetValue(_clap) ?? command.GetValue(_index) ?? command.GetValue(_tokenizer)) is not null)
                command.AddError("--random compares no sounds; leave --clap, --tokenizer and --index out.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var options = new InterleaveOptions
        {
            Shots = parse.GetValue(_shots),
            Seed = parse.GetValue(_seed),
            Tasks = parse.GetValue(_tasks) ?? [],
            Splits = parse.GetValue(_splits) ?? [],
        };
        var set = DataSet.Open(parse.GetValue(_path)!);
        if (!parse.GetValue(_random))
            options = options with { Embed = await EmbedAsync(parse, InterleaveDataSet.SoundsOf(set, options), cancellation).ConfigureAwait(false) };
        foreach (var manifest in Terminal.Track("Choosing shots", bar => InterleaveDataSet.Run(set, options, bar, cancellation)).Written)
            Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{manifest.Name}: {manifest.Count} items of {manifest.Shots} shots"));
        return ExitCode.Ok;
    }

    private async Task<Func<SoundEntry, float[]>> EmbedAsync(ParseResult parse, IReadOnlyList<SoundEntry> sounds, CancellationToken cancellation)
    {
        using var embedder = new ClapEmbedder(ClapOptions.Load(parse.GetValue(_clap), parse.GetValue(_tokenizer), parse.GetValue(_device)!), owns: true);
        using var index = parse.GetValue(_index) is { } location
            ? await SoundIndex.CreateAsync(location, embedder, cancellation).ConfigureAwait(false)
            : new SoundIndex(new MemorySoundStore(embedder.Encoder), embedder);
        return await Terminal.Track("Comparing sounds", bar => IndexedVectors.ReadAsync(
            index, sounds, new CallbackProgress<IngestProgress>(p => bar((double)p.Done / Math.Max(1, p.Total))), cancellation)).ConfigureAwait(false);
    }
}
