using System.Globalization;
using FlamingoSharp.Runtime;

namespace FlamingoSharp.Hub;

/// <summary>Which hub is asked, as whom, and where downloads lie: the settings of the ecosystem's own tools, from the same environment variables.</summary>
/// <remarks>Source: huggingface_hub, "Environment variables".</remarks>
public sealed record HubOptions
{
    /// <summary>The hub. Variable <c>HF_ENDPOINT</c>.</summary>
    public Uri Endpoint { get; init; } = new("https://huggingface.co");

    /// <summary>
    /// Shown to the endpoint's host only; null asks anonymously. Variables <c>HF_TOKEN</c>, or the file that <c>HF_TOKEN_PATH</c> names,
    /// else <c>$HF_HOME/token</c>.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>Where downloads lie, shared with Python. Variables <c>HF_HUB_CACHE</c>, else <c>$HF_HOME/hub</c>.</summary>
    public string CacheFolder { get; init; } = DefaultCache();

    /// <summary>Where it is remembered which licences were accepted. Default: in <see cref="UserFolders.Data"/>.</summary>
    public string LicenseFolder { get; init; } = Path.Combine(UserFolders.Data, "licenses");

    /// <summary>True never opens a connection: only what the cache holds is found. Variable <c>HF_HUB_OFFLINE</c>.</summary>
    public bool Offline { get; init; }

    /// <summary>How long the hub may stay silent before the connection is given up. Variable <c>HF_HUB_DOWNLOAD_TIMEOUT</c>, in seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often in a row a failed connection or a busy hub is tried again; a download that has come further begins to count anew.</summary>
    public int Retries { get; init; } = 5;

    /// <summary>Pause before the first new try; it doubles each time, up to <see cref="LongestPause"/>.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest pause; a hub that asks for a longer one is not tried again.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Reads the environment.</summary>
    /// <exception cref="FlamingoException">HF_ENDPOINT is no address, or the file of the token cannot be read.</exception>
    public static HubOptions FromEnvironment()
    {
        var options = new HubOptions();
        string endpoint = Variable("HF_ENDPOINT") ?? options.Endpoint.ToString();
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"HF_ENDPOINT is '{endpoint}'; it must be an address that begins with https:// or http://.");
        string? timeout = Variable("HF_HUB_DOWNLOAD_TIMEOUT");
        return options with
        {
            Endpoint = address,
            Token = ReadToken(),
            Offline = Variable("HF_HUB_OFFLINE")?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE",
            Timeout = double.TryParse(timeout, CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 86400
                ? TimeSpan.FromSeconds(seconds) : options.Timeout,
        };
    }

    /// <summary>Where the ecosystem's tools keep a token that was logged in with.</summary>
    internal static string TokenPath => Expand(Variable("HF_TOKEN_PATH") ?? Path.Combine(Home(), "token"));

    private static string? ReadToken()
    {
        string? token = Variable("HF_TOKEN") ?? Variable("HUGGING_FACE_HUB_TOKEN");
        try
        {
            token ??= File.Exists(TokenPath) ? File.ReadAllText(TokenPath) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The token in '{TokenPath}' cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
        token = token?.Trim();
        if (string.IsNullOrEmpty(token))
            return null;
        return token.All(c => c is > ' ' and <= '~') ? token : throw new FlamingoException(
            FlamingoErrorKind.Usage, $"The hub's token holds characters that no token has; check HF_TOKEN and '{TokenPath}'.");
    }

    private static string DefaultCache() =>
        Expand(Variable("HF_HUB_CACHE") ?? Variable("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(Home(), "hub"));

    private static string Home() => Expand(Variable("HF_HOME") ?? Path.Combine(Variable("XDG_CACHE_HOME") ?? "~/.cache", "huggingface"));

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string Expand(string path) => path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
        ? Path.Join(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[1..])
        : path;
}
