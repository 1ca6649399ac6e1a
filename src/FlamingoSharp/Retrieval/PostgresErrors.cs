using Npgsql;

namespace FlamingoSharp.Retrieval;

/// <summary>What the errors of a PostgreSQL server mean to a person. No message shows a password.</summary>
/// <param name="Index">What messages call the index.</param> <param name="Server">Host and port.</param>
/// <param name="Database">The database asked for.</param> <param name="User">The user who asks.</param>
internal sealed record PostgresErrors(string Index, string Server, string? Database, string? User)
{
    /// <summary>The error for a person.</summary>
    public FlamingoException Explain(Exception error) => new(FlamingoErrorKind.Input, error switch
    {
        // Codes: PostgreSQL's manual, appendix A.
        PostgresException { SqlState: "28P01" or "28000" } => $"The PostgreSQL server {Server} refuses the user '{User}'. Check name and password.",
        PostgresException { SqlState: "3D000" } => $"The PostgreSQL server {Server} has no database '{Database}'. Create it, or name another.",
        PostgresException { SqlState: "0A000" or "58P01" or "42704" or "XX000" } missing when missing.MessageText.Contains("vector", StringComparison.Ordinal) =>
            $"The PostgreSQL server {Server} has no extension 'vector' ({missing.MessageText}). Install pgvector on it.",
        PostgresException { SqlState: "42501" } denied =>
            $"The user '{User}' may not do that on the PostgreSQL server {Server} ({denied.MessageText}). Have the extension 'vector' and the rights on the schema given by an administrator.",
        PostgresException { SqlState: "42P01" } => $"The index '{Index}' is damaged: its table is gone. Build it anew.",
        PostgresException other => $"The index '{Index}' cannot be used: {other.MessageText} ({other.SqlState}).",
        _ => $"The PostgreSQL server {Server} cannot be reached: {Innermost(error).Message.TrimEnd('.')}. Check the address, and that it runs.",
    }, error);

    private static Exception Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error;
}
