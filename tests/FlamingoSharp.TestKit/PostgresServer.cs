using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FlamingoSharp.TestKit;

/// <summary>
/// A PostgreSQL server for tests: the one of FLAMINGO_POSTGRES (a connection string of Npgsql), or PGlite, PostgreSQL compiled for node, which
/// .ci/run installs into a cache folder. Null where there is neither.
/// </summary>
public sealed class PostgresServer : IDisposable
{
    /// <summary>Why a test that needs a server is skipped.</summary>
    public const string Missing = "There is no PostgreSQL: set FLAMINGO_POSTGRES, or install node and PGlite as .ci/run does.";

    private const string ConnectionVariable = "FLAMINGO_POSTGRES", PgliteVariable = "FLAMINGO_PGLITE";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);
    private static readonly Lazy<PostgresServer?> s_shared = new(() => Environment.GetEnvironmentVariable(ConnectionVariable) is { Length: > 0 } named
        ? new PostgresServer(named, null)
        : StartPglite(withVector: true));

    private readonly Process? _process;

    private PostgresServer(string connection, Process? process) => (Connection, _process) = (connection, process);

    /// <summary>Npgsql's connection string.</summary>
    public string Connection { get; }

    /// <summary>One server with pgvector for all tests; null where there is none. It ends with the test process.</summary>
    public static PostgresServer? Shared => s_shared.Value;

    /// <summary>Starts PGlite on a free port; null where node or PGlite is not installed.</summary>
    /// <param name="withVector">False leaves pgvector out.</param>
    public static PostgresServer? StartPglite(bool withVector)
    {
        string folder = Environment.GetEnvironmentVariable(PgliteVariable) is { Length: > 0 } named
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "flamingosharp", "pglite");
        string script = Path.Combine(folder, "node_modules", "@electric-sql", "pglite-socket", "dist", "scripts", "server.js");
        if (!File.Exists(script))
            return null;
        int port = FreePort();
        var start = new ProcessStartInfo("node") { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        string[] vector = withVector ? ["-e", "@electric-sql/pglite-pgvector:vector"] : [];
        foreach (string argument in (string[])[script, "-d", "memory://", "-p", $"{port}", "-m", "20", .. vector])
            start.ArgumentList.Add(argument);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no node
        }
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(process);
        var ready = new TaskCompletionSource();
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.Contains("listening", StringComparison.Ordinal) == true)
                ready.TrySetResult();
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!ready.Task.Wait(s_patience))
        {
            End(process);
            throw new InvalidOperationException($"PGlite in '{folder}' did not start within {s_patience}.");
        }
        return new PostgresServer($"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;SSL Mode=Disable", process);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_process is not null)
            End(_process);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }
}
