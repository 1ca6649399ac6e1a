namespace FlamingoSharp.Runtime;

/// <summary>Where FlamingoSharp keeps files of its own for this user. Nothing is ever written to the working directory.</summary>
public static class UserFolders
{
    /// <summary>Overrides the place of everything below.</summary>
    public const string HomeVariable = "FLAMINGO_HOME";

    /// <summary>
    /// Files that can be made again: <c>$FLAMINGO_HOME/cache</c>, else <c>$XDG_CACHE_HOME/flamingosharp</c>, else <c>~/.cache/flamingosharp</c>;
    /// the temporary folder for users without a home.
    /// </summary>
    public static string Cache => Find("cache", "XDG_CACHE_HOME", ".cache");

    /// <summary>
    /// What is to last, as which licences were accepted: <c>$FLAMINGO_HOME/data</c>, else <c>$XDG_DATA_HOME/flamingosharp</c>, else
    /// <c>~/.local/share/flamingosharp</c>; the temporary folder for users without a home.
    /// </summary>
    public static string Data => Find("data", "XDG_DATA_HOME", Path.Combine(".local", "share"));

    private static string Find(string ownName, string xdgVariable, string inHome)
    {
        if (Environment.GetEnvironmentVariable(HomeVariable) is { Length: > 0 } home)
            return Path.Combine(home, ownName);
        if (Environment.GetEnvironmentVariable(xdgVariable) is { Length: > 0 } xdg)
            return Path.Combine(xdg, "flamingosharp");
        string user = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return user.Length > 0 ? Path.Combine(user, inHome, "flamingosharp") : Path.Combine(Path.GetTempPath(), "flamingosharp");
    }
}
