using System.CommandLine;
using FlamingoSharp.Embeddings;

namespace FlamingoSharp.Cli.Options;

/// <summary>Which CLAP model, and on which device.</summary>
internal sealed class ClapOptions
{
    /// <summary>An option that names the model; verbs whose <c>--model</c> is another kind of model call it otherwise.</summary>
    public static Option<string?> Model(params string[] names) => new(names[0], names[1..])
    {
        Description = $"CLAP model: a folder, or a published checkpoint of LAION's or Microsoft's. Default: ${ModelLocator.ClapVariable}, else models/clap-mini beside this program or above the current folder.",
        HelpName = "MODEL",
    };

    /// <summary>An option that names the tokenizer of a published checkpoint.</summary>
    public static Option<string?> Tokenizer() => new("--tokenizer")
    {
        Description = "Folder of RoBERTa's tokenizer, for a published checkpoint of LAION-CLAP that is to read texts.",
        HelpName = "DIR",
    };

    /// <summary>Loads the model.</summary>
    /// <exception cref="FlamingoException">There is none, or it cannot be loaded.</exception>
    public static ClapModel Load(string? named, string? tokenizer, string device) =>
        ClapModel.Load(ModelLocator.LocateClap(named), new ClapLoadOptions { Device = device, TokenizerFolder = tokenizer });
}
