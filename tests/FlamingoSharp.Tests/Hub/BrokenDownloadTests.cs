using FlamingoSharp.Hub;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Hub;

/// <summary>Connections that break, hubs that are busy, downloads that were stopped.</summary>
public sealed class BrokenDownloadTests : PullTest
{
    private const string Large = "model.safetensors";

    private IEnumerable<FakeRequest> Fetches => Remote.Storage.Requests.Where(r => Remote.IsFor(r, Large));

    [Fact]
    public async Task A_download_that_breaks_off_continues_where_it_stopped()
    {
        int cuts = 0;
        Remote.InterceptStorage = r => Interlocked.Increment(ref cuts) <= 3 ? FakeHub.Serve(r, Remote.Files[Large], "\"stored-1\"") with { CutAfter = 70_000 } : null;
        var pulled = await PullAsync();
        Assert.Equal([null, "bytes=70000-", "bytes=140000-", "bytes=210000-"], Fetches.Select(r => r["Range"]));
        Assert.Equal([null, "\"stored-1\"", "\"stored-1\"", "\"stored-1\""], Fetches.Select(r => r["If-Range"]));
        Assert.Equal(300_008, pulled.Bytes);
        Assert.Equal(Remote.Files[Large], File.ReadAllBytes(Path.Combine(Snapshot, Large)));
        Assert.Equal("The connection to 127.0.0.1 broke off. Trying again.", Notes[0]);
    }

    [Fact]
    public async Task More_breaks_than_tries_are_survived_while_the_download_comes_further()
    {
        Remote.InterceptStorage = r => FakeHub.Serve(r, Remote.Files[Large], "\"stored-1\"") with { CutAfter = 25_000 };
        Assert.Equal(300_008, (await PullAsync()).Bytes);
        Assert.Equal(12, Fetches.Count());
    }

    [Fact]
    public async Task A_server_that_never_comes_further_is_given_up_and_the_next_pull_continues()
    {
        Remote.InterceptStorage = r => FakeHub.Serve(r, Remote.Files[Large], "\"stored-1\"") with { CutAfter = r["Range"] is null ? 100_000 : 0 };
        Assert.Equal("The connection to 127.0.0.1 broke off.", await FailureAsync());
        Assert.Equal(100_000, new FileInfo(Blob(Large) + ".incomplete").Length);
        Assert.False(File.Exists(Blob(Large)));
        Remote.InterceptStorage = null;
        var pulled = await PullAsync();
        Assert.Equal("bytes=100000-", Fetches.Last()["Range"]);
        Assert.Equal(200_006, pulled.Bytes); // with the small file that comes after
        Assert.Equal([Remote.HashOf(Large)], Directory.GetFiles(Path.GetDirectoryName(Blob(Large))!, Remote.HashOf(Large) + "*").Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_server_without_ranges_starts_over_and_does_not_do_so_for_ever()
    {
        Remote.InterceptStorage = _ => new FakeResponse(200, Remote.Files[Large]) { CutAfter = 100_000 };
        Assert.Equal("The connection to 127.0.0.1 broke off.", await FailureAsync());
        Assert.Equal(1 + Options.Retries, Fetches.Count());
        Remote.InterceptStorage = _ => new FakeResponse(200, Remote.Files[Large]);
        await PullAsync();
        Assert.Equal(Remote.Files[Large], File.ReadAllBytes(Path.Combine(Snapshot, Large)));
    }

    [Fact]
    public async Task A_file_that_changed_in_between_is_downloaded_from_the_beginning()
    {
        Remote.InterceptStorage = r => FakeHub.Serve(r, Bytes(300_000, seed: 2), "\"stored-0\"") with { CutAfter = r["Range"] is null ? 100_000 : 0 };
        await FailureAsync();
        Remote.InterceptStorage = null; // "stored-1": the mark of what is on disk no longer holds
        await PullAsync();
        Assert.Equal(("bytes=100000-", "\"stored-0\""), (Fetches.Last()["Range"], Fetches.Last()["If-Range"]));
        Assert.Equal(Remote.Files[Large], File.ReadAllBytes(Path.Combine(Snapshot, Large)));
    }

    [Theory]
    [InlineData(100_000, true)] // continued, found wrong, started over
    [InlineData(300_000, false)] // complete but wrong: found without asking
    [InlineData(300_001, false)] // too long
    public async Task A_damaged_beginning_is_found_by_the_hash_and_thrown_away(int left, bool continued)
    {
        Directory.CreateDirectory(Path.Combine(Repository, "blobs"));
        File.WriteAllBytes(Blob(Large) + ".incomplete", Bytes(left, seed: 9));
        await PullAsync();
        Assert.Equal(continued ? ["bytes=100000-", null] : [null], Fetches.Select(r => r["Range"]));
        Assert.Equal(Remote.Files[Large], File.ReadAllBytes(Path.Combine(Snapshot, Large)));
    }

    [Fact]
    public async Task A_hub_that_is_busy_is_asked_again_after_the_time_it_names()
    {
        int busy = 0;
        Remote.Intercept = _ => Interlocked.Increment(ref busy) switch
        {
            1 => new FakeResponse(429, [], ("Retry-After", "1")),
            2 => new FakeResponse(503),
            _ => null,
        };
        var watch = System.Diagnostics.Stopwatch.StartNew();
        await PullAsync();
        Assert.True(watch.Elapsed > TimeSpan.FromSeconds(1));
        Assert.Equal("127.0.0.1 has had too many requests (429) and asks to be left alone for 1 s; a token (HF_TOKEN) may raise the limit. Trying again in 1 s.", Notes[0]);
        Assert.Equal("127.0.0.1 cannot answer at the moment (503 Some Reason). Trying again.", Notes[1]);
    }

    [Fact]
    public async Task A_hub_that_stays_busy_is_given_up()
    {
        Remote.Intercept = _ => new FakeResponse(429, [], ("Retry-After", "3600"));
        Assert.Equal("127.0.0.1 has had too many requests (429) and asks to be left alone for 3600 s; a token (HF_TOKEN) may raise the limit.", await FailureAsync());
        Assert.Single(Remote.Server.Requests);
        Remote.Intercept = _ => new FakeResponse(500);
        Assert.Equal("127.0.0.1 cannot answer at the moment (500 Some Reason).", await FailureAsync());
        Assert.Equal(1 + 1 + Options.Retries, Remote.Server.Requests.Count);
    }

    [Fact]
    public async Task Silence_ends_a_connection_and_the_download_continues()
    {
        Options = Options with { Timeout = TimeSpan.FromSeconds(0.5) };
        int silent = 0;
        Remote.InterceptStorage = r => Interlocked.Increment(ref silent) == 1 ? FakeHub.Serve(r, Remote.Files[Large], "\"stored-1\"") with { StopAfter = 50_000 } : null;
        await PullAsync();
        Assert.Equal("127.0.0.1 sent nothing for 0.5 s. Trying again.", Notes[0]);
        Assert.Equal("bytes=50000-", Fetches.Last()["Range"]);
    }

    [Fact]
    public async Task A_pull_that_is_cancelled_leaves_no_model_and_continues_later()
    {
        Remote.InterceptStorage = r => Testing.Slowly(Remote, r, Large, bytesAtOnce: 5_000);
        using var stop = new CancellationTokenSource();
        using var hub = new ModelHub(Options);
        var model = await hub.FindAsync(Id);
        hub.Accept(model.License);
        var progress = new Stopping(stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hub.PullAsync(model, new PullOptions { Progress = progress }, stop.Token));
        Assert.Null(ModelHub.FindSnapshot(Id, Options));
        Assert.True(new FileInfo(Blob(Large) + ".incomplete").Length >= 50_000);
        Remote.InterceptStorage = null;
        Assert.True((await PullAsync()).Bytes <= 250_006);
    }

    [Fact]
    public async Task What_a_killed_pull_left_beside_the_snapshots_is_swept_away()
    {
        string left = Path.Combine(Repository, ".snapshot-left", "snapshot");
        Directory.CreateDirectory(left);
        File.WriteAllText(Path.Combine(left, "config.json"), "{}");
        await PullAsync();
        Assert.False(Directory.Exists(Path.GetDirectoryName(left)));
    }

    private sealed class Stopping(CancellationTokenSource stop) : IProgress<PullProgress>
    {
        public void Report(PullProgress value)
        {
            if (value.BytesDone >= 50_000)
                stop.Cancel();
        }
    }
}
