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
        Description = "Model whose encoder makes the vectors of the index. Default: the sound encoder of --model.",
        HelpName = "MODEL",
    };

    /// <summary>An argument that names an index.</summary>
    public static Argument<string> Index() => new("INDEX") { Description = $"The index: {Places}." };

    public void AddTo(Command command) => command.Add(_encoder);

    /// <summary>The encoder. The caller disposes it, not the model that it may share.</summary>
    /// <param name="parse">The command line.</param> <param name="model">Which model is meant by default.</param>
    /// <param name="loaded">That model, where it is loaded already.</param>
    /// <exception cref="FlamingoException">There is no such model.</exception>
    public ISoundEmbedder Open(ParseResult parse, ModelOptions model, Flamingo? loaded = null)
    {
        if (parse.GetValue(_encoder) is { } named)
            return new FlamingoEmbedder(Flamingo.Load(ModelLocator.Locate(named), new() { Device = model.DeviceOf(parse) }), owns: true);
        return loaded is null ? new FlamingoEmbedder(model.Load(parse), owns: true) : new FlamingoEmbedder(loaded);
    }
}
