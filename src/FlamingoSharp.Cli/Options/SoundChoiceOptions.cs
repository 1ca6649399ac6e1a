using System.CommandLine;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Cli.Options;

/// <summary>Which sounds of a catalogue a model learns from.</summary>
internal sealed class SoundChoiceOptions
{
    private readonly Option<string[]> _leaveOut = new("--leave-out") { Description = "Concepts of the catalogue, commas between, whose clips are not learned from.", HelpName = "A,B" };

    private readonly Option<bool> _permissive = new("--permissive") { Description = "Only sounds under CC0, CC-BY, MIT, BSD and the like." };

    public void AddTo(Command command)
    {
        command.Add(_leaveOut);
        command.Add(_permissive);
    }

    public SoundChoice Read(ParseResult parse) => new()
    {
        LeaveOut = [.. (parse.GetValue(_leaveOut) ?? []).SelectMany(c => c.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))],
        PermissiveOnly = parse.GetValue(_permissive),
    };
}
