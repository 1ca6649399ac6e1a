namespace FlamingoSharp.Training.Sounds;

/// <summary>Which sounds of a catalogue are learned from.</summary>
public sealed record SoundChoice
{
    /// <summary>Concepts whose clips, and whatever is made of them, are left out: to measure how new ones are learned from examples.</summary>
    public IReadOnlyCollection<string> LeaveOut { get; init; } = [];

    /// <summary>True takes only sounds whose licences ask for no more than to be named, as <c>data build --permissive</c> does.</summary>
    public bool PermissiveOnly { get; init; }

    /// <summary>The part of a catalogue that is chosen.</summary>
    /// <exception cref="FlamingoException">No clip has one of the concepts to leave out.</exception>
    internal SoundCatalogue Of(SoundCatalogue catalogue)
    {
        var known = catalogue.Without(LeaveOut);
        return PermissiveOnly ? SoundLicenses.PermissiveOf(known) : known;
    }
}
