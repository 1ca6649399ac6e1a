using System.CommandLine;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Options;

/// <summary>Which index, and which encoder makes the vectors.</summary>
internal sealed class IndexOptions
{
    /// <summary>What help says of a place for an index.</summary>
    public const string Places = "a file, or postgres://USER:PASSWORD@HOST:PORT/DATABASE?index=NAME";

    private readonly Option<string?> _encoder = new("--encoder")
    {
        Description = "Model that makes the vectors of the index: CLAP, or an Audio Flamingo model for its sound encoder. "
            + $"Default: ${ModelLocator.ClapVariable}, else models/clap-mini, else the sound encoder of --model.",
        HelpName = "MODEL",
    };

    private readonly Option<string?> _tokenizer = new("--encoder-tokenizer")
    {
        Description = "Folder of RoBERTa's tokenizer, where --encoder is a published checkpoint of LAION-CLAP.",
        HelpName = "DIR",
    };

    /// <summary>An argument that names an index.</summary>
    public static Argument<string> Index() => new("INDEX") { Description = $"The index: {Places}." };

    public void AddTo(Command command)
    {
        command.Add(_encoder);
        command.Add(_tokenizer);
    }

    /// <summary>The encoder. The caller disposes it, not the model that it may share.</summary>
    /// <param name="parse">The command line.</param> <param name="model">Which model is meant by default.</param>
    /// <param name="loaded">That model, where it is loaded already.</param>
    /// <exception cref="FlamingoException">There is no such model.</exception>
    public ISoundEmbedder Open(ParseResult parse, ModelOptions model, Flamingo? loaded = null)
    {
        string? found = parse.GetValue(_encoder) is { } named ? ModelLocator.Locate(named) : ModelLocator.FindClap();
        if (found is not null)
            return SoundEmbedder.Load(found, model.DeviceOf(parse), parse.GetValue(_tokenizer));
        return loaded is null ? new FlamingoEmbedder(model.Load(parse), owns: true) : new FlamingoEmbedder(loaded);
    }
}
