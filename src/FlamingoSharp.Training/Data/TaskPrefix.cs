using System.Text;

namespace FlamingoSharp.Training.Data;

/// <summary>The sentence that names the task of a text: <c>The task is audio captioning. </c></summary>
public static class TaskPrefix
{
    // Data sets of these families are known by the family's name alone.
    private static readonly string[] Families = ["audiocaps", "audioset", "msp-podcast", "wavcaps", "lp-musiccaps"];

    private static readonly (string Begins, string Name)[] Abbreviations =
    [
        ("a q a", "audio question answering"),
        ("a v q a", "audio vision question answering"),
        ("instr classification", "instrument classification"),
        ("m i r", "music information retrieval"),
    ];

    /// <summary>The prefix of a data set's texts, a space at its end.</summary>
    /// <param name="name">The data set's name: <c>Dataset-Task/split</c>.</param>
    public static string Of(string name)
    {
        string whole = name.Split('/')[0]; // Dataset-Task; how shots were chosen stands behind the slash
        int dash = whole.LastIndexOf('-');
        string dataset = dash < 0 ? "" : whole[..dash].ToLowerInvariant();
        dataset = Families.FirstOrDefault(f => dataset.StartsWith(f, StringComparison.Ordinal)) ?? dataset;

        string task = Words(whole[(dash + 1)..]);
        if (task == "audio captioning" && dataset.Contains("musiccaps", StringComparison.Ordinal))
            task = "music captioning";
        task = Abbreviations.FirstOrDefault(a => task.StartsWith(a.Begins, StringComparison.Ordinal)).Name ?? task;
        return $"The task is {task}. ";
    }

    // AudioCaptioning -> audio captioning
    private static string Words(string camelCase)
    {
        var words = new StringBuilder();
        foreach (char c in camelCase)
            words.Append(char.IsUpper(c) ? " " : "").Append(c);
        return words.ToString().TrimStart().ToLowerInvariant();
    }
}
