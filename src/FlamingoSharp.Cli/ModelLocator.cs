namespace FlamingoSharp.Cli;

/// <summary>Which model is meant when none is named.</summary>
internal static class ModelLocator
{
    /// <summary>Names the model folder.</summary>
    public const string Variable = "FLAMINGO_MODEL";

    private static readonly string s_shipped = Path.Combine("models", "flamingo-mini");

    /// <summary>The named folder, else <see cref="Variable"/>, else the shipped model.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public static string Locate(string? named) => Find(named) ?? throw new FlamingoException(FlamingoErrorKind.Model,
        $"No model was named, and there is no {s_shipped} beside this program or above the current folder. Give --model DIR, or set {Variable}.");

    /// <summary>As <see cref="Locate"/>; null when there is none.</summary>
    public static string? Find(string? named)
    {
        if (!string.IsNullOrEmpty(named))
            return named;
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable)
            return variable;
        return Upwards(Directory.GetCurrentDirectory()).Concat(Upwards(AppContext.BaseDirectory))
            .Select(folder => Path.Combine(folder, s_shipped)).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "config.json")));
    }

    private static IEnumerable<string> Upwards(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
            yield return at.FullName;
    }
}
