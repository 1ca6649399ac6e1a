namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>Names of data sets: the first part of <c>Dataset-Task/split</c>.</summary>
internal static class SetName
{
    /// <summary>A name of a folder or file as that of a data set.</summary>
    public static string From(string text)
    {
        string name = string.Concat(text.Select(c => IsAllowed(c) ? c : '_')).Trim('_', '-', '.');
        return name.Length > 0 ? name : "sounds";
    }

    /// <summary>Refuses a name that manifests cannot carry.</summary>
    /// <exception cref="FlamingoException">It is empty or holds other characters than letters, digits, and - _ + . between them.</exception>
    public static string Checked(string name) => name.Length > 0 && name.All(IsAllowed) && char.IsLetterOrDigit(name[0])
        ? name
        : throw new FlamingoException(FlamingoErrorKind.Usage, $"'{name}' cannot be the name of a data set; use letters, digits, and - _ + . after the first.");

    private static bool IsAllowed(char c) => char.IsLetterOrDigit(c) || c is '-' or '_' or '+' or '.';
}
