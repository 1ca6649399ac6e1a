using System.CommandLine;
using System.Text.Json;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Hub;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo pull</c>: a model of a hub into the cache.</summary>
internal sealed class PullVerb : Verb
{
    private readonly Argument<string> _model = new("ORG/NAME[@REVISION]") { Description = "The model's repository, and which branch, tag or commit of it." };

    private readonly Option<string?> _revision = new("--revision") { Description = "Branch, tag or commit. Default: main.", HelpName = "NAME" };

    private readonly Option<string[]> _include = new("--include")
    {
        Description = "Only files that match; * and ?, and * also matches slashes.",
        HelpName = "PATTERN",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<string[]> _exclude = new("--exclude")
    {
        Description = "Not the files that match.",
        HelpName = "PATTERN",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _accept = new("--accept-license") { Description = "You have read the model's licence and accept it; needed once a model where nobody can be asked." };

    private readonly Option<bool> _json = new("--json") { Description = "What was pulled, as one JSON object." };

    public PullVerb()
        : base("pull", "Download a model from a Hugging Face-compatible hub, into the cache that Python's tools share.",
            "flamingo pull nvidia/audio-flamingo-2",
            "flamingo pull org/name@v1.0 --include \"*.json\" \"*.safetensors\" --accept-license",
            "HF_ENDPOINT=https://hub.example.org HF_TOKEN=hf_... flamingo pull org/private --json")
    {
        Add(_model);
        foreach (Option option in new Option[] { _revision, _include, _exclude, _accept, _json })
            Add(option);
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var id = HubModelId.Parse(parse.GetValue(_model)!, parse.GetValue(_revision));
        var options = HubOptions.FromEnvironment();
        if (options.Offline && ModelHub.FindSnapshot(id, options) is { } known)
        {
            Terminal.Note($"HF_HUB_OFFLINE is set: the hub was not asked whether '{id}' has changed.");
            Terminal.Say(known);
            return ExitCode.Ok;
        }
        using var hub = new ModelHub(options, Terminal.Note);
        var model = await hub.FindAsync(id, cancellation).ConfigureAwait(false);
        if (!hub.IsAccepted(model.License))
        {
            await AskAsync(model.License, parse.GetValue(_accept), cancellation).ConfigureAwait(false);
            hub.Accept(model.License);
        }
        var pulled = Terminal.Track($"Pulling {id}", bar => hub.PullAsync(
            model,
            new PullOptions
            {
                Include = parse.GetValue(_include) ?? [],
                Exclude = parse.GetValue(_exclude) ?? [],
                Progress = new CallbackProgress<PullProgress>(p => bar(p.BytesTotal > 0 ? (double)p.BytesDone / p.BytesTotal : 0)),
            },
            cancellation).GetAwaiter().GetResult());
        Tell(parse, model, pulled);
        return ExitCode.Ok;
    }

    private static async Task AskAsync(HubLicense license, bool accepted, CancellationToken cancellation)
    {
        if (accepted)
            Terminal.Note($"'{license.Repository}' stands under this licence, which you accept: {license.Describe()}.");
        else if (!Terminal.CanAsk)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage,
                $"'{license.Repository}' stands under a licence that has not been accepted here: {license.Describe()}. Read it, then pull with --accept-license.");
        }
        else
        {
            if (license.Text is { } text)
                Terminal.Tell($"{text}\n");
            string question = $"'{license.Repository}' stands under this licence: {license.Describe()}. Do you accept it?";
            if (!await Terminal.AskAsync(question, cancellation).ConfigureAwait(false))
                throw new FlamingoException(FlamingoErrorKind.Usage, "The licence was not accepted; nothing was downloaded.");
        }
    }

    private void Tell(ParseResult parse, HubModel model, PullResult pulled)
    {
        if (parse.GetValue(_json))
        {
            Terminal.Say(JsonSerializer.Serialize(
                new PulledLine(model.Id.Repository, model.Id.Revision, model.Commit, pulled.Folder, pulled.Files, pulled.Downloaded, pulled.Bytes, model.License.Name, model.License.Link),
                CliJson.Lines.PulledLine));
            return;
        }
        Terminal.Note(pulled.Downloaded == 0
            ? $"all {pulled.Files} files are there already."
            : $"{pulled.Downloaded} of {pulled.Files} files downloaded, {Quantity.Bytes(pulled.Bytes)}.");
        if (!IsModel(pulled.Folder))
            Terminal.Note("these files are no model folder of FlamingoSharp; if they are a published checkpoint, 'flamingo convert' makes one of them.");
        Terminal.Say(pulled.Folder);
    }

    private static bool IsModel(string folder)
    {
        try
        {
            Models.FlamingoConfig.Load(ModelFolder.Open(folder).ConfigPath);
            return true;
        }
        catch (FlamingoException)
        {
            return false;
        }
    }
}
