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
    public static string Cache
    {
        get
        {
            if (Environment.GetEnvironmentVariable(HomeVariable) is { Length: > 0 } home)
                return Path.Combine(home, "cache");
            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg)
                return Path.Combine(xdg, "flamingosharp");
            string user = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return user.Length > 0 ? Path.Combine(user, ".cache", "flamingosharp") : Path.Combine(Path.GetTempPath(), "flamingosharp");
        }
    }
}
