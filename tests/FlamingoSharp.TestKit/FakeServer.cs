using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FlamingoSharp.TestKit;

/// <summary>A request as it came.</summary>
/// <param name="Method">GET or HEAD.</param> <param name="Path">Without the host, with the query, as it was sent.</param>
/// <param name="Headers">By name, whatever its case.</param>
public sealed record FakeRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>A header; null where it was not sent.</summary>
    public string? this[string header] => Headers.GetValueOrDefault(header);
}

/// <summary>An answer, well-behaved unless told otherwise.</summary>
public sealed record FakeResponse
{
    /// <summary>Makes one.</summary>
    public FakeResponse(int status, byte[]? body = null, params (string Name, string Value)[] headers)
    {
        (Status, Body) = (status, body ?? []);
        foreach (var (name, value) in headers)
            Headers[name] = value;
    }

    /// <summary>The status code.</summary>
    public int Status { get; init; }

    /// <summary>What follows the headers.</summary>
    public byte[] Body { get; init; }

    /// <summary>More headers.</summary>
    public Dictionary<string, string> Headers { get; init; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Content-Length as it is declared; null declares the truth, empty declares none.</summary>
    public string? DeclaredLength { get; init; }

    /// <summary>Bytes of the body after which the connection is cut.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Bytes of the body after which nothing more comes, while the connection stays open.</summary>
    public int? StopAfter { get; init; }

    /// <summary>Bytes between pauses of 20 ms; 0 sends everything at once.</summary>
    public int Slow { get; init; }
}

/// <summary>A small HTTP/1.1 server on this machine, that can misbehave in every way a test needs.</summary>
public sealed class FakeServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<FakeRequest, FakeResponse> _answer;

    /// <summary>Starts to listen on a free port.</summary>
    /// <param name="answer">Answers a request; may be called by several threads.</param>
    public FakeServer(Func<FakeRequest, FakeResponse> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = Task.Run(AcceptAsync);
    }

    /// <summary>Its address, without a slash at the end.</summary>
    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>What was asked, in order.</summary>
    public ConcurrentQueue<FakeRequest> Requests { get; } = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _ = Task.Run(() => ServeAsync(client));
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                if (await ReadAsync(stream) is not { } request)
                    return;
                Requests.Enqueue(request);
                await WriteAsync(stream, request, _answer(request));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // the client has gone
            }
        }
    }

    private async Task<FakeRequest?> ReadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            head.Append((char)one[0]);
        }
        string[] lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] first = lines[0].Split(' ');
        var headers = lines[1..].Select(l => l.Split(':', 2)).ToDictionary(p => p[0], p => p[1].Trim(), StringComparer.OrdinalIgnoreCase);
        return new FakeRequest(first[0], first[1], headers);
    }

    private async Task WriteAsync(NetworkStream stream, FakeRequest request, FakeResponse response)
    {
        var head = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {response.Status} Some Reason\r\nConnection: close\r\n"));
        string length = response.DeclaredLength ?? response.Body.Length.ToString(CultureInfo.InvariantCulture);
        if (length.Length > 0 && !response.Headers.ContainsKey("Transfer-Encoding"))
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        foreach (var (name, value) in response.Headers)
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), _stop.Token);
        if (request.Method == "HEAD")
            return;
        byte[] body = response.Body[..Math.Min(response.Body.Length, response.CutAfter ?? response.StopAfter ?? response.Body.Length)];
        int piece = response.Slow > 0 ? response.Slow : Math.Max(1, body.Length);
        for (int at = 0; at < body.Length; at += piece)
        {
            await stream.WriteAsync(body.AsMemory(at, Math.Min(piece, body.Length - at)), _stop.Token);
            if (response.Slow > 0)
                await Task.Delay(20, _stop.Token);
        }
        if (response.StopAfter is not null)
            await Task.Delay(Timeout.Infinite, _stop.Token);
    }
}
