using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Which sounds may be used under which terms, and whom to name for them.</summary>
internal static partial class SoundLicenses
{
    // Source: the copyright files of the Debian packages.
    private static readonly Dictionary<string, string> s_soundfonts = new()
    {
        ["fluid-soundfont-gm"] = "MIT",
        ["musescore-general-soundfont-small"] = "MIT",
        ["timgm6mb-soundfont"] = "GPL-2",
    };

    /// <summary>True for terms that ask for no more than to be named. Of terms to choose from ("A or B") one is enough.</summary>
    public static bool IsPermissive(string license) =>
        license.Split(" or ", StringSplitOptions.TrimEntries).Any(l => Permissive().IsMatch(l) && !l.Contains('/', StringComparison.Ordinal));

    /// <summary>Why a sound is not permissive; null where it is.</summary>
    public static string? Fault(LabelledSound sound, SoundCatalogue catalogue) => sound switch
    {
        Clip clip => IsPermissive(clip.License) ? null : $"is under {Stated(clip.License)}, which asks for more than to be named",
        CompositionRecipe mix => mix.Parts.All(p => catalogue[p.Ref] is Clip c && IsPermissive(c.License)) ? null : "is composed of clips whose licences ask for more than to be named",
        MusicRecipe music => s_soundfonts.TryGetValue(music.Soundfont, out string? license) && IsPermissive(license) ? null : "is played with a soundfont whose licence asks for more than to be named",
        SpokenRecipe => "speaks texts whose licence is not stated",
        _ => null,
    };

    /// <summary>The permissive part of a catalogue.</summary>
    public static SoundCatalogue PermissiveOf(SoundCatalogue catalogue) => catalogue.Where(sound => Fault(sound, catalogue) is null);

    /// <summary>A list of sources and licences, as Markdown.</summary>
    /// <param name="sounds">The sounds in use.</param>
    /// <param name="catalogue">Where compositions look up their clips.</param>
    public static string Attribution(IReadOnlyList<LabelledSound> sounds, SoundCatalogue catalogue)
    {
        var text = new StringBuilder("# Sources of the sounds\n\n## Recorded\n\n| package | licence of the files | clips |\n|---|---|---|\n");
        var clips = sounds.OfType<Clip>().Concat(sounds.OfType<CompositionRecipe>().SelectMany(r => r.Parts.Select(p => (Clip)catalogue[p.Ref]))).DistinctBy(c => c.Id);
        foreach (var source in clips.GroupBy(c => (c.Package, License: Stated(c.License))).OrderBy(g => g.Key.Package, StringComparer.Ordinal).ThenBy(g => g.Key.License, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"| {source.Key.Package} | {source.Key.License} | {source.Count()} |\n");
        text.Append("\n## Made\n\n| with | licence | sounds |\n|---|---|---|\n");
        foreach (var made in sounds.OfType<Recipe>().GroupBy(MadeWith).OrderBy(g => g.Key.With, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"| {made.Key.With} | {made.Key.License} | {made.Count()} |\n");
        return text.ToString();
    }

    private static (string With, string License) MadeWith(Recipe recipe) => recipe switch
    {
        MusicRecipe music => ($"FluidSynth and {music.Soundfont}", s_soundfonts.GetValueOrDefault(music.Soundfont, "see the package")),
        SpokenRecipe spoken => (spoken.Tool, "the program's; of the spoken texts, see where they were taken from"),
        CompositionRecipe => ("clips of the list above", "theirs"),
        _ => ("tones and noises, computed", "none"),
    };

    private static string Stated(string license) => license.Length > 0 ? license : "a licence that is not stated";

    [GeneratedRegex(@"^(CC0|public[- ]domain|CC-BY-\d|MIT|BSD|Expat|ISC|Zlib|Apache-2|Unlicense|WTFPL|0BSD)", RegexOptions.IgnoreCase)]
    private static partial Regex Permissive();
}
