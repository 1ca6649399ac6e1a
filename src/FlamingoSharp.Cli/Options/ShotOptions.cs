using System.CommandLine;
using System.CommandLine.Parsing;
using FlamingoSharp.Cli.Retrieval;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Options;

/// <summary>Which examples are shown to the model before the question.</summary>
/// <param name="encoder">Which encoder the index is for; added to the command by the caller.</param>
internal sealed class ShotOptions(IndexOptions encoder)
{
    private readonly Option<int> _shots = new("--shots")
    {
        Description = $"Show the model this many examples first, up to {FewShot.MaxShots}: the sounds of --index most like the one asked about, or those of --shots-from.",
        HelpName = "N",
        Validators = { r => r.AtLeast(0) },
    };

    private readonly Option<string?> _index = new("--index") { Description = $"The index that examples come from: {IndexOptions.Places}.", HelpName = "INDEX" };

    private readonly Option<bool> _random = new("--random-shots") { Description = "Draw the examples from the index at random instead of by likeness; --shots-seed repeats a draw." };

    private readonly Option<int> _seed = new("--shots-seed") { Description = "Seed of --random-shots.", HelpName = "N", DefaultValueFactory = _ => 1 };

    private readonly Option<string?> _from = new("--shots-from")
    {
        Description = "Hand-picked examples: a folder of class folders, or a text file with a sound and its answer on each line, a tab between.",
        HelpName = "PATH",
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _shots, _index, _random, _seed, _from })
            command.Add(option);
        command.Validators.Add(result =>
        {
            bool index = result.GetValue(_index) is not null, from = result.GetValue(_from) is not null;
            if (index && from)
                result.AddError("Give --index or --shots-from, not both.");
            else if (!index && !from && result.GetValue(_shots) > 0)
                result.AddError("--shots needs examples: give --index INDEX or --shots-from PATH.");
            else if (!index && result.GetValue(_random))
                result.AddError("--random-shots draws from an index: give --index INDEX.");
            else if (index && !from && result.GetValue(_shots) == 0)
                result.AddError($"--index needs --shots N, 1 to {FewShot.MaxShots}.");
        });
    }

    /// <summary>Whether examples are asked for.</summary>
    public bool IsAsked(ParseResult parse) => parse.GetValue(_index) is not null || parse.GetValue(_from) is not null;

    /// <summary>Whether a command line, as far as it is read, names examples.</summary>
    public bool IsAsked(SymbolResult command) => command.GetValue(_index) is not null || command.GetValue(_from) is not null;

    /// <summary>What gives each file its examples; null where none are asked for. The caller disposes it.</summary>
    /// <exception cref="FlamingoException">The index or the examples cannot be read.</exception>
    public async Task<ShotSource?> OpenAsync(ParseResult parse, ModelOptions model, Flamingo flamingo, CancellationToken cancellation)
    {
        int count = parse.GetValue(_shots);
        if (parse.GetValue(_from) is { } from)
            return new ShotSource(HandPicked.Read(from, count == 0 ? FewShot.MaxShots : count));
        if (parse.GetValue(_index) is not { } location)
            return null;
        if (count > FewShot.MaxShots)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"{count} examples were asked for, but a prompt takes 0 to {FewShot.MaxShots}.");
        var embedder = encoder.Open(parse, model, flamingo);
        try
        {
            return new ShotSource(await SoundIndex.OpenAsync(location, embedder, readOnly: true, cancellation).ConfigureAwait(false), count, parse.GetValue(_random) ? parse.GetValue(_seed) : null);
        }
        catch
        {
            embedder.Dispose();
            throw;
        }
    }
}
