using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FlamingoSharp.TestKit;

/// <summary>A Hugging Face-compatible hub with one repository: small files come from itself, large ones by redirect from a second server.</summary>
public sealed class FakeHub : IDisposable
{
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly HashSet<string> _large = [];

    /// <summary>Starts both servers.</summary>
    public FakeHub()
    {
        Server = new FakeServer(r => Intercept?.Invoke(r) ?? Answer(r));
        Storage = new FakeServer(r => InterceptStorage?.Invoke(r) ?? AnswerStorage(r));
    }

    /// <summary>The repository's name.</summary>
    public string Repository { get; } = "test-org/tiny.model";

    /// <summary>The commit that main is.</summary>
    public string Commit { get; set; } = new('c', 40);

    /// <summary>The hub.</summary>
    public FakeServer Server { get; }

    /// <summary>Where large files lie.</summary>
    public FakeServer Storage { get; }

    /// <summary>Answers in the hub's place; null leaves it to the hub.</summary>
    public Func<FakeRequest, FakeResponse?>? Intercept { get; set; }

    /// <summary>Answers in the storage's place.</summary>
    public Func<FakeRequest, FakeResponse?>? InterceptStorage { get; set; }

    /// <summary>The licence that the model's card names.</summary>
    public string? License { get; set; } = "cc-by-nc-4.0";

    /// <summary>More names for the list of files, whether or not they exist.</summary>
    public List<string> AlsoListed { get; } = [];

    /// <summary>The repository's files.</summary>
    public IReadOnlyDictionary<string, byte[]> Files => _files;

    /// <summary>Adds a small file, named by git's SHA-1.</summary>
    public FakeHub Add(string path, string text) => Add(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Adds a small file, named by git's SHA-1.</summary>
    public FakeHub Add(string path, byte[] content)
    {
        _files[path] = content;
        return this;
    }

    /// <summary>Adds a large file, named by its SHA-256.</summary>
    public FakeHub AddLarge(string path, byte[] content)
    {
        _large.Add(path);
        return Add(path, content);
    }

    /// <summary>The name of a file's content.</summary>
#pragma warning disable CA5350 // git's name, no signature
    public string HashOf(string path) => _large.Contains(path)
        ? Convert.ToHexStringLower(SHA256.HashData(_files[path]))
        : Convert.ToHexStringLower(SHA1.HashData([.. Encoding.ASCII.GetBytes($"blob {_files[path].Length}\0"), .. _files[path]]));
#pragma warning restore CA5350

    /// <summary>True for a request for the bytes of a file.</summary>
    public bool IsFor(FakeRequest request, string path) => request.Method == "GET" && request.Path.EndsWith("/" + path, StringComparison.Ordinal);

    /// <summary>Serves bytes, with ranges.</summary>
    public static FakeResponse Serve(FakeRequest request, byte[] body, string tag)
    {
        var response = new FakeResponse(200, body, ("ETag", tag), ("Accept-Ranges", "bytes"));
        if (request["Range"] is not { } range || (request["If-Range"] is { } known && known != tag))
            return response;
        int from = int.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
        if (from >= body.Length)
            return new FakeResponse(416, [], ("Content-Range", $"bytes */{body.Length}"));
        response.Headers["Content-Range"] = $"bytes {from}-{body.Length - 1}/{body.Length}";
        return response with { Status = 206, Body = body[from..] };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Server.Dispose();
        Storage.Dispose();
    }

    private FakeResponse Answer(FakeRequest request)
    {
        string path = Uri.UnescapeDataString(request.Path);
        if (path == $"/api/models/{Repository}/revision/main" || path == $"/api/models/{Repository}/revision/{Commit}")
            return new FakeResponse(200, Listing(), ("Content-Type", "application/json"));
        if (path.StartsWith($"/api/models/{Repository}/revision/", StringComparison.Ordinal))
            return new FakeResponse(404, [], ("X-Error-Code", "RevisionNotFound"));
        string prefix = $"/{Repository}/resolve/{Commit}/";
        if (!path.StartsWith(prefix, StringComparison.Ordinal))
            return new FakeResponse(404, [], ("X-Error-Code", "RepoNotFound"));
        string file = path[prefix.Length..];
        if (!_files.TryGetValue(file, out byte[]? content))
            return new FakeResponse(404, [], ("X-Error-Code", "EntryNotFound"));
        if (!_large.Contains(file))
        {
            var response = Serve(request, content, $"\"{HashOf(file)}\"");
            response.Headers["X-Repo-Commit"] = Commit;
            return response;
        }
        return new FakeResponse(302, [],
            ("Location", $"{Storage.Address}/bucket/{file}"), ("X-Repo-Commit", Commit), ("X-Linked-ETag", $"\"{HashOf(file)}\""),
            ("X-Linked-Size", content.Length.ToString(CultureInfo.InvariantCulture)), ("ETag", "\"of-the-redirect\""));
    }

    private FakeResponse AnswerStorage(FakeRequest request)
    {
        string file = Uri.UnescapeDataString(request.Path)["/bucket/".Length..];
        return Serve(request, _files[file], "\"stored-1\"");
    }

    private byte[] Listing()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("sha", Commit);
            json.WriteStartObject("cardData");
            if (License is not null)
                json.WriteString("license", License);
            json.WriteEndObject();
            json.WriteStartArray("siblings");
            foreach (string name in _files.Keys.Concat(AlsoListed))
            {
                json.WriteStartObject();
                json.WriteString("rfilename", name);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return text.ToArray();
    }
}
