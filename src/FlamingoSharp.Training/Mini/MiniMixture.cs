using System.Globalization;

namespace FlamingoSharp.Training;

/// <summary>What training texts are drawn from, as shares; the rest are single questions about the catalogue's sounds.</summary>
public sealed record MiniMixture
{
    /// <summary>Texts about new compositions of the catalogue's sounds.</summary>
    public double Compositions { get; init; } = 0.25;

    /// <summary>Texts about textures that are put together from their events.</summary>
    public double Textures { get; init; } = 0.04;

    /// <summary>Dialogues of two or three turns about one sound.</summary>
    public double Dialogues { get; init; } = 0.15;

    /// <summary>Questions after one to eight examples.</summary>
    public double Shots { get; init; } = 0.05;

    /// <summary>Of those, the share whose sounds are called by other names, so that only the examples tell what to answer.</summary>
    public double OtherNames { get; init; } = 0.5;

    /// <summary>Of the dialogues, the share that comes back to what was said first, with a question that affirms it and one that denies something else.</summary>
    public double Confirmed { get; init; } = 0.6;

    /// <summary>
    /// Of the questions with choices, the share whose sound is drowned in noise. Training sounds are soon known by heart, and then the choices tell
    /// nothing; of a sound that is hardly heard they do, as of one that was never heard before.
    /// </summary>
    public double Drowned { get; init; } = 0.25;

    /// <summary>Of the dialogues, that share: there what was said before tells.</summary>
    public double DrownedDialogues { get; init; } = 0.5;

    /// <summary>
    /// Share of the catalogue's sounds that are heard as they are: what tells where a recording comes from, its bandwidth or its noise, tells the language
    /// and the speaker too, and is of no use if it is always varied away.
    /// </summary>
    public double Unvaried { get; init; } = 0.1;

    /// <summary>Checks that the shares are shares, and that those of the texts leave room for each other.</summary>
    /// <exception cref="FlamingoException">One is below 0 or above 1, or the texts' sum is.</exception>
    public void Validate()
    {
        foreach (var (name, share) in new[]
        {
            (nameof(Compositions), Compositions), (nameof(Textures), Textures), (nameof(Dialogues), Dialogues), (nameof(Shots), Shots), (nameof(OtherNames), OtherNames),
            (nameof(Confirmed), Confirmed), (nameof(Drowned), Drowned), (nameof(DrownedDialogues), DrownedDialogues), (nameof(Unvaried), Unvaried),
        })
        {
            if (share is not (>= 0 and <= 1))
                throw new FlamingoException(FlamingoErrorKind.Usage, string.Create(CultureInfo.InvariantCulture, $"{name} is {share}; a share must lie between 0 and 1."));
        }
        double sum = Compositions + Textures + Dialogues + Shots;
        if (sum > 1 + 1e-9)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, string.Create(CultureInfo.InvariantCulture,
                $"Compositions, textures, dialogues and questions after examples are {sum:0.###} of all texts together; they must be at most 1."));
        }
    }
}
