using System.CommandLine;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Verbs.Index;

/// <summary><c>flamingo index remove</c>: sounds leave an index; their files stay.</summary>
internal sealed class IndexRemoveVerb : Verb
{
    private readonly Argument<string> _index = IndexOptions.Index();

    private readonly Argument<string[]> _files = new("FILE") { Description = "Sounds by the path with which they were added, or by their hash.", Arity = ArgumentArity.ZeroOrMore };

    private readonly Option<string?> _label = new("--label") { Description = "All sounds with this label.", HelpName = "LABEL" };

    private readonly Option<bool> _missing = new("--missing") { Description = "All sounds whose file is gone." };

    public IndexRemoveVerb()
        : base("remove", "Take sounds out of an index; their files stay.",
            "flamingo index remove birds.db birds/crow/7.wav",
            "flamingo index remove birds.db --label crow",
            "flamingo index remove birds.db --missing")
    {
        Add(_index);
        Add(_files);
        Add(_label);
        Add(_missing);
        Validators.Add(command =>
        {
            if (command.GetValue(_files) is not { Length: > 0 } && command.GetValue(_label) is null && !command.GetValue(_missing))
                command.AddError("Say which sounds: name files, or give --label or --missing.");
        });
    }

    protected override async Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        using var store = IndexLocation.Store(parse.GetValue(_index)!);
        await store.OpenAsync(cancellation).ConfigureAwait(false);
        var files = parse.GetValue(_files)!.ToHashSet(StringComparer.Ordinal);
        string? label = parse.GetValue(_label);
        bool missing = parse.GetValue(_missing);
        int gone = await store.RemoveAsync(s => files.Contains(s.Path) || files.Contains(s.Hash)
            || (label is not null && s.Labels.Contains(label, StringComparer.OrdinalIgnoreCase)) || (missing && !File.Exists(s.Path)), cancellation).ConfigureAwait(false);
        Terminal.Say($"{store.Name}: {gone} removed; {await store.CountAsync(cancellation).ConfigureAwait(false)} sounds left");
        return ExitCode.Ok;
    }
}
