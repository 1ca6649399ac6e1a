using System.CommandLine;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Options;

/// <summary>Whose tokens texts are counted in.</summary>
internal static class TokenizerOption
{
    public static Option<string?> Create(string purpose) => new("--tokenizer")
    {
        Description = $"{purpose} A model folder, or ORG/NAME of a model that was pulled. Default: the model that answers by default.",
        HelpName = "MODEL",
    };

    /// <summary>The tokenizer of the named model, or of the default one; null where none was named and there is no default.</summary>
    /// <exception cref="FlamingoException">The named model does not exist, or its tokenizer is corrupt.</exception>
    public static Tokenizer? Find(string? named) =>
        ModelLocator.Find(named) is null ? null : Tokenizer.Load(ModelLocator.Locate(named));
}
