using FlamingoSharp.Hub;

namespace FlamingoSharp.Cli;

/// <summary>Which model is meant when none is named.</summary>
internal static class ModelLocator
{
    /// <summary>Names the model folder.</summary>
    public const string Variable = "FLAMINGO_MODEL";

    /// <summary>Names the CLAP model.</summary>
    public const string ClapVariable = "FLAMINGO_CLAP";

    private static readonly string s_shipped = Path.Combine("models", "flamingo-mini");
    private static readonly string s_shippedClap = Path.Combine("models", "clap-mini");

    /// <summary>The named folder or pulled model, else that of <see cref="Variable"/>, else the shipped model.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public static string Locate(string? named)
    {
        string found = Find(named) ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"No model was named, and there is no {s_shipped} beside this program or above the current folder. Give --model DIR, or set {Variable}.");
        return Path.Exists(found) || HubModelId.TryParse(found) is not { } model ? found : Pulled(model);
    }

    /// <summary>The named folder, checkpoint or pulled model, else that of <see cref="ClapVariable"/>, else the shipped CLAP model.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public static string LocateClap(string? named)
    {
        string found = Find(named, ClapVariable, s_shippedClap) ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"No CLAP model was named, and there is no {s_shippedClap} beside this program or above the current folder. Name one, or set {ClapVariable}; 'flamingo train clap' makes one.");
        return Path.Exists(found) || HubModelId.TryParse(found) is not { } model ? found : Pulled(model);
    }

    /// <summary>As <see cref="LocateClap"/>; null when there is none.</summary>
    public static string? FindClap() => Find(null, ClapVariable, s_shippedClap) is null ? null : LocateClap(null);

    /// <summary>As <see cref="Locate"/>; null when there is none.</summary>
    public static string? Find(string? named) => Find(named, Variable, s_shipped);

    private static string? Find(string? named, string variable, string shipped)
    {
        if (!string.IsNullOrEmpty(named))
            return named;
        if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } set)
            return set;
        return Upwards(Directory.GetCurrentDirectory()).Concat(Upwards(AppContext.BaseDirectory))
            .Select(folder => Path.Combine(folder, shipped)).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "config.json")));
    }

    private static string Pulled(HubModelId model)
    {
        var hub = new HubOptions();
        return ModelHub.FindSnapshot(model, hub) ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"There is no folder '{model}', and no such model in the cache '{hub.CacheFolder}'. 'flamingo pull {model}' downloads one of that name.");
    }

    private static IEnumerable<string> Upwards(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
            yield return at.FullName;
    }
}
