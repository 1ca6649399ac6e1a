using FlamingoSharp.Hub;
using FlamingoSharp.TestKit;
using FlamingoSharp.Tests.Weights;

namespace FlamingoSharp.Tests.Hub;

/// <summary>A hub, a cache of one's own, and a pull with pauses too short to wait for.</summary>
public abstract class PullTest : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    internal FakeHub Remote { get; } = new();

    internal List<string> Notes { get; } = [];

    internal HubOptions Options { get; set; }

    protected PullTest()
    {
        Options = new HubOptions
        {
            Endpoint = new Uri(Remote.Server.Address),
            CacheFolder = _folder.At("hub"),
            LicenseFolder = _folder.At("licenses"),
            Timeout = TimeSpan.FromSeconds(5),
            FirstPause = TimeSpan.FromMilliseconds(5),
        };
        Remote.Add("config.json", "{}").AddLarge("model.safetensors", Bytes(300_000)).Add("sub/notes.txt", "hello\n");
    }

    internal HubModelId Id => HubModelId.Parse(Remote.Repository);

    internal string Repository => Path.Combine(Options.CacheFolder, "models--test-org--tiny.model");

    internal string Snapshot => Path.Combine(Repository, "snapshots", Remote.Commit);

    internal static byte[] Bytes(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    internal string Blob(string file) => Path.Combine(Repository, "blobs", Remote.HashOf(file));

    /// <summary>Accepts the licence and pulls.</summary>
    internal async Task<PullResult> PullAsync(PullOptions? options = null, HubModelId? id = null)
    {
        using var hub = new ModelHub(Options, note => { lock (Notes) Notes.Add(note); });
        var model = await hub.FindAsync(id ?? Id);
        hub.Accept(model.License);
        return await hub.PullAsync(model, options);
    }

    /// <summary>The message with which a pull fails; nothing that loads may be left.</summary>
    internal async Task<string> FailureAsync()
    {
        var error = await Assert.ThrowsAsync<FlamingoException>(() => PullAsync());
        Assert.Null(ModelHub.FindSnapshot(Id, Options));
        Assert.False(Directory.Exists(Snapshot));
        return error.Message;
    }

    public void Dispose()
    {
        Remote.Dispose();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
