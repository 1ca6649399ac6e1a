using System.Data.Common;

namespace FlamingoSharp.Retrieval;

/// <summary>
/// Where an index is, as people write it: a file; or a PostgreSQL database, as <c>postgres://user:password@host:port/database?index=NAME</c> or
/// as Npgsql's connection string (<c>Host=…;Database=…;Index=NAME</c>).
/// </summary>
public static class IndexLocation
{
    private const string DefaultIndex = "sounds";

    /// <summary>The store at a location; nothing is read or written yet.</summary>
    /// <param name="location">A file, a URL or a connection string.</param>
    /// <param name="encoder">Who makes the vectors; null takes any index as it is, and cannot make one.</param> <param name="readOnly">True never writes.</param>
    /// <exception cref="FlamingoException">The location cannot be read.</exception>
    public static SoundStore Store(string location, EncoderIdentity? encoder = null, bool readOnly = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(location);
        if (location.StartsWith("postgres://", StringComparison.Ordinal) || location.StartsWith("postgresql://", StringComparison.Ordinal))
            return OfUrl(location, encoder);
        if (location.Contains("Host=", StringComparison.OrdinalIgnoreCase))
            return OfConnectionString(location, encoder);
        return new SqliteSoundStore(location, encoder, readOnly);
    }

    private static PostgresSoundStore OfUrl(string location, EncoderIdentity? encoder)
    {
        if (!Uri.TryCreate(location, UriKind.Absolute, out var url) || url.Host.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, "The URL of the PostgreSQL index cannot be read; it has the form postgres://user:password@host:port/database?index=NAME.");
        var connection = new DbConnectionStringBuilder { ["Host"] = url.Host };
        if (url.Port > 0)
            connection["Port"] = url.Port;
        if (url.AbsolutePath.Trim('/') is { Length: > 0 } database)
            connection["Database"] = Uri.UnescapeDataString(database);
        string[] user = url.UserInfo.Split(':', 2);
        if (user[0].Length > 0)
            connection["Username"] = Uri.UnescapeDataString(user[0]);
        if (user.Length == 2)
            connection["Password"] = Uri.UnescapeDataString(user[1]);
        string index = DefaultIndex;
        foreach (string pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = pair.Split('=', 2);
            string value = parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "";
            if (parts[0] == "index")
                index = value;
            else
                connection[parts[0] == "sslmode" ? "SSL Mode" : parts[0]] = value;
        }
        return new PostgresSoundStore(connection.ConnectionString, index, encoder);
    }

    private static PostgresSoundStore OfConnectionString(string location, EncoderIdentity? encoder)
    {
        DbConnectionStringBuilder connection;
        try
        {
            connection = new DbConnectionStringBuilder { ConnectionString = location };
        }
        catch (ArgumentException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The connection to PostgreSQL cannot be read: {e.Message}", e);
        }
        string index = connection.TryGetValue("Index", out object? named) ? (string)named : DefaultIndex;
        connection.Remove("Index");
        return new PostgresSoundStore(connection.ConnectionString, index, encoder);
    }
}
