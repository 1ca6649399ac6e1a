using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace FlamingoSharp.Retrieval;

/// <summary>The file of a <see cref="SqliteSoundStore"/>: its form, its connection, and what SQLite's errors mean to a person.</summary>
internal sealed class SqliteIndexFile(string path, bool readOnly) : IDisposable
{
    /// <summary>Says that a vector which was there has changed or gone.</summary>
    public const string RaiseGeneration = "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'";

    private const int ApplicationId = 0x464C4D49; // "FLMI"
    private const int Version = 1;

    // Codes of SQLite, https://www.sqlite.org/rescode.html.
    private const int Busy = 5, ReadOnly = 8, Corrupt = 11, Full = 13, CannotOpen = 14, NotADatabase = 26;

    private const string Schema = """
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE sounds (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL, hash TEXT NOT NULL, labels TEXT NOT NULL,
            caption TEXT, start REAL NOT NULL, duration REAL);
        CREATE TABLE vectors (number INTEGER PRIMARY KEY, vector BLOB NOT NULL);
        INSERT INTO meta VALUES ('generation', '0');
        """;

    private SqliteConnection? _connection;

    /// <summary>The file.</summary>
    public string Path { get; } = path;

    /// <summary>Writes of this connection, which SQLite's data_version does not count.</summary>
    public long OwnWrites { get; private set; }

    private SqliteConnection Connection => _connection ?? throw new InvalidOperationException("The store is not open yet.");

    /// <summary>Opens the file, or makes it.</summary>
    /// <param name="maker">The encoder that a new file is for; null makes none.</param>
    /// <returns>The encoder that the file is for.</returns>
    public EncoderIdentity Open(EncoderIdentity? maker)
    {
        if (_connection is not null)
            return Recorded();
        bool there = File.Exists(Path) && new FileInfo(Path).Length > 0; // an empty file is a new one that was cut off before its first write
        if (!there && maker is null)
            throw Bad(Directory.Exists(Path) ? $"'{Path}' is a folder, not an index of sounds." : $"There is no index '{Path}'. 'flamingo index build DIR --out {Path}' makes one.");
        try
        {
            Connect(there);
            if (!there || Tables() == 0)
                Create(maker ?? throw NotOurs());
            if ((long)Scalar("PRAGMA application_id")! != ApplicationId)
                throw NotOurs();
            if ((long)Scalar("PRAGMA user_version")! is var version && version != Version)
                throw Bad($"The index '{Path}' has version {version}, but this program reads version {Version}. Use the program that made it, or build it anew.");
            if (!readOnly)
                Run("PRAGMA journal_mode = WAL", null);
            return Recorded();
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>A command of SQL.</summary>
    public SqliteCommand Command(string sql, params (string Name, object? Value)[] parameters)
    {
        var command = Connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    /// <summary>The first value of the first row.</summary>
    public object? Scalar(string sql)
    {
        using var command = Command(sql);
        return command.ExecuteScalar();
    }

    /// <summary>Runs a command.</summary>
    /// <returns>Rows changed.</returns>
    public int Run(string sql, SqliteTransaction? transaction, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(sql, parameters);
        command.Transaction = transaction;
        return command.ExecuteNonQuery();
    }

    /// <summary>Writes all or nothing.</summary>
    public int Write(Action<SqliteTransaction> write)
    {
        if (readOnly)
            throw new InvalidOperationException("The store was opened for reading.");
        using var transaction = Connection.BeginTransaction(deferred: false);
        write(transaction);
        transaction.Commit();
        OwnWrites++;
        return 0;
    }

    /// <summary>Reads one state of the file, whatever others write meanwhile.</summary>
    public void Read(Action read)
    {
        Run("BEGIN", null);
        try
        {
            read();
        }
        finally
        {
            Run("COMMIT", null);
        }
    }

    /// <summary>Runs work on the file and says SQLite's errors in words.</summary>
    /// <exception cref="FlamingoException">SQLite refused.</exception>
    public T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, e.SqliteErrorCode switch
            {
                NotADatabase => NotOurs().Message,
                Corrupt => $"The index '{Path}' is damaged ({e.Message}). Restore it from a copy, or build it anew.",
                Busy => $"The index '{Path}' is being written by another process, which has not ended within {Connection.DefaultTimeout} s. Try again later.",
                ReadOnly or CannotOpen => $"The index '{Path}' cannot be opened ({e.Message}). Check that the file and its folder may be read and written.",
                Full => $"There is no room on disk for the index '{Path}'. What was written before is kept; make room and run the same command again.",
                _ => $"The index '{Path}' cannot be used: {e.Message}",
            }, e);
        }
        catch (JsonException e)
        {
            throw Bad($"The index '{Path}' is damaged ({e.Message}). Restore it from a copy, or build it anew.", e);
        }
    }

    /// <summary>Removes the file.</summary>
    public void Delete()
    {
        Close();
        foreach (string part in new[] { Path, Path + "-wal", Path + "-shm", Path + "-journal" })
            File.Delete(part);
    }

    /// <inheritdoc/>
    public void Dispose() => Close();

    private void Connect(bool there)
    {
        if (!there && System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path)) is { } folder)
            Directory.CreateDirectory(folder);
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Mode = !there ? SqliteOpenMode.ReadWriteCreate : readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 60,
        }.ToString());
        _connection.Open();
        if (!there)
            Run("PRAGMA page_size = 32768", null); // fifteen vectors of 512 a page, with little left over
        Run("PRAGMA synchronous = FULL", null);
    }

    private long Tables() => (long)Scalar("SELECT count(*) FROM sqlite_schema")!;

    private void Create(EncoderIdentity maker) => Write(transaction =>
    {
        if (Tables() > 0)
            return; // another process was faster
        Run(Schema, transaction);
        Run("INSERT INTO meta VALUES ('encoder', @encoder)", transaction, ("@encoder", JsonSerializer.Serialize(maker, StoreJson.Default.EncoderIdentity)));
        Run($"PRAGMA application_id = {ApplicationId}", transaction);
        Run($"PRAGMA user_version = {Version}", transaction);
    });

    private EncoderIdentity Recorded() =>
        Scalar("SELECT value FROM meta WHERE key = 'encoder'") is string json && JsonSerializer.Deserialize(json, StoreJson.Default.EncoderIdentity) is { } encoder
            ? encoder
            : throw Bad($"The index '{Path}' is damaged: it does not say which encoder made it. Restore it from a copy, or build it anew.");

    private void Close()
    {
        if (_connection is null)
            return;
        try
        {
            if (!readOnly && _connection.State == System.Data.ConnectionState.Open)
            {
                // At rest the index is one plain file, which also reads from where nothing can be written. Refused while others have it open.
                _connection.DefaultTimeout = 1;
                Run("PRAGMA journal_mode = DELETE", null);
            }
        }
        catch (SqliteException)
        {
            // The log stays beside the file, and the last one to close folds it in.
        }
        _connection.Dispose();
        _connection = null;
    }

    private FlamingoException NotOurs() => Bad($"'{Path}' is not an index of sounds. Name one that 'flamingo index build' made.");

    private static FlamingoException Bad(string message, Exception? inner = null) => new(FlamingoErrorKind.Input, message, inner);
}
