using System.Globalization;
using FlamingoSharp.Hub;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Hub;

/// <summary>Hubs that refuse, err or lie: one clear sentence, and nothing that loads.</summary>
public sealed class HostileHubTests : PullTest
{
    private const string Large = "model.safetensors";

    private const string Altered = "nothing of it was kept. Pull again: if it stays so, the hub or a proxy on the way alters it.";

    [Theory]
    [InlineData(401, "GatedRepo", false, "'test-org/tiny.model' is gated: accept its conditions at {0}/test-org/tiny.model, then set HF_TOKEN to a token of that account.")]
    [InlineData(403, "GatedRepo", true, "'test-org/tiny.model' is gated and 127.0.0.1 does not admit the account of this token; accept its conditions at {0}/test-org/tiny.model, or use the token of an account that has.")]
    [InlineData(401, "RepoNotFound", false, "127.0.0.1 shows no 'test-org/tiny.model' to strangers: check the name, or set HF_TOKEN if it is private.")]
    [InlineData(401, "", true, "127.0.0.1 shows no 'test-org/tiny.model' to the owner of this token: check the name, and whether the token (HF_TOKEN, or {1}) is still valid.")]
    [InlineData(403, "", true, "127.0.0.1 forbids reading 'test-org/tiny.model'; use a token that may read it.")]
    [InlineData(404, "RepoNotFound", true, "There is no 'test-org/tiny.model' at 127.0.0.1; check the name.")]
    [InlineData(404, "RepoNotFound", false, "There is no 'test-org/tiny.model' at 127.0.0.1; check the name, or set HF_TOKEN if it is private.")]
    [InlineData(404, "RevisionNotFound", false, "'test-org/tiny.model' has no revision 'main' at 127.0.0.1; check the branch, tag or commit.")]
    [InlineData(418, "", false, "127.0.0.1 answers 418 Some Reason when asked for 'test-org/tiny.model'; it may be no Hugging Face-compatible hub (HF_ENDPOINT).")]
    public async Task A_refusal_is_explained(int status, string code, bool token, string message)
    {
        Options = Options with { Token = token ? "secret" : null };
        Remote.Intercept = _ => new FakeResponse(status, [], ("X-Error-Code", code));
        Assert.Equal(string.Format(CultureInfo.InvariantCulture, message, Remote.Server.Address, HubOptions.TokenPath), await FailureAsync());
        Assert.Single(Remote.Server.Requests);
    }

    [Fact]
    public async Task A_file_that_is_listed_but_missing_is_named()
    {
        Remote.AlsoListed.Add("gone.bin");
        Assert.Equal("127.0.0.1 lists 'gone.bin' of 'test-org/tiny.model' but does not have it; pull again later, or leave it out with --exclude.", await FailureAsync());
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_nowhere_else()
    {
        Options = Options with { Token = "secret" };
        await PullAsync();
        Assert.All(Remote.Server.Requests, r => Assert.Equal("Bearer secret", r["Authorization"]));
        Assert.NotEmpty(Remote.Storage.Requests);
        Assert.All(Remote.Storage.Requests, r => Assert.Null(r["Authorization"]));
    }

    [Fact]
    public async Task A_renamed_repository_is_followed_within_the_hub()
    {
        Options = Options with { Token = "secret" };
        Remote.Intercept = r => r.Path.Contains("/old-org/", StringComparison.Ordinal)
            ? new FakeResponse(307, [], ("Location", r.Path.Replace("old-org/old", Remote.Repository, StringComparison.Ordinal))) : null;
        var pulled = await PullAsync(id: HubModelId.Parse("old-org/old"));
        Assert.Equal(Remote.Files[Large], File.ReadAllBytes(Path.Combine(pulled.Folder, Large)));
    }

    [Fact]
    public async Task Redirects_in_circles_and_to_other_kinds_of_address_are_not_followed()
    {
        Remote.Intercept = r => new FakeResponse(302, [], ("Location", r.Path));
        Assert.Equal("127.0.0.1 redirects more than 8 times; the hub, or a proxy on the way, is broken.", await FailureAsync());
        Remote.Intercept = _ => new FakeResponse(302, [], ("Location", "file:///etc/passwd"));
        Assert.Equal("127.0.0.1 redirects to the unprotected address file:///etc/passwd, which is not followed.", await FailureAsync());
    }

    [Theory]
    [InlineData(Large, "SHA-256")]
    [InlineData("config.json", "git SHA-1")]
    public async Task Other_bytes_than_announced_are_thrown_away(string file, string kind)
    {
        byte[] other = Bytes(Remote.Files[file].Length, seed: 5);
        FakeResponse? Lie(FakeRequest r) => Remote.IsFor(r, file) ? FakeHub.Serve(r, other, "\"stored-1\"") : null;
        Remote.Intercept = r => file == Large ? null : Lie(r);
        Remote.InterceptStorage = Lie;
        string message = await FailureAsync();
        Assert.Matches($"^'{file}' of 'test-org/tiny.model' arrived with the {kind} [0-9a-f]+, not the announced {Remote.HashOf(file)}; {Altered}$", message);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(Blob(file))!, Remote.HashOf(file) + "*"));
    }

    [Theory]
    [InlineData("../escape.txt")]
    [InlineData("/etc/escape.txt")]
    [InlineData("a/../../escape.txt")]
    [InlineData("a\\..\\escape.txt")]
    [InlineData("C:escape.txt")]
    [InlineData("a//escape.txt")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("escape\u0000.txt")]
    public async Task Names_that_lead_out_of_the_folder_are_refused_before_anything_is_downloaded(string name)
    {
        Remote.AlsoListed.Add(name);
        Assert.Equal($"'test-org/tiny.model' lists the file '{name.Replace("\0", "", StringComparison.Ordinal)}' which would lead out of its folder; nothing of it was downloaded.", await FailureAsync());
        Assert.Single(Remote.Server.Requests);
        Assert.False(Directory.Exists(Options.CacheFolder));
    }

    [Theory]
    [InlineData("config.json", "'config.json' twice")]
    [InlineData("config.json/x", "'config.json' both as a file and as a folder")]
    public async Task Names_that_exclude_each_other_are_refused(string name, string what)
    {
        Remote.AlsoListed.Add(name);
        Assert.Equal($"'test-org/tiny.model' lists the file {what}; nothing of it was downloaded.", await FailureAsync());
    }

    [Theory]
    [InlineData("299999")]
    [InlineData("300001")]
    [InlineData("9000000000000000000")]
    public async Task A_length_that_contradicts_the_announced_one_is_refused(string declared)
    {
        Remote.InterceptStorage = r => FakeHub.Serve(r, Remote.Files[Large], "\"stored-1\"") with { DeclaredLength = declared };
        Assert.Equal($"'{Large}' of 'test-org/tiny.model' comes with {declared} bytes instead of 300000; {Altered}", await FailureAsync());
    }

    [Fact]
    public async Task A_body_without_length_that_does_not_end_is_cut_at_the_announced_size()
    {
        Remote.InterceptStorage = _ => new FakeResponse(200, Bytes(400_000)) { DeclaredLength = "" };
        Assert.Equal($"'{Large}' of 'test-org/tiny.model' does not end after the announced 300000 bytes; {Altered}", await FailureAsync());
    }

    [Fact]
    public async Task A_size_beyond_the_disk_is_refused_before_anything_is_downloaded()
    {
        Remote.Intercept = r => r.Method == "HEAD" && r.Path.EndsWith(Large, StringComparison.Ordinal)
            ? new FakeResponse(302, [], ("Location", Remote.Storage.Address), ("X-Linked-ETag", Remote.HashOf(Large)), ("X-Linked-Size", "9000000000000000000")) : null;
        Assert.Matches(@"^'test-org/tiny\.model' needs 9000000000\.0 GB more, but only \d+\.\d GB are free in '.*'; free some space, or name another folder with HF_HUB_CACHE\.$", await FailureAsync());
        Assert.DoesNotContain(Remote.Server.Requests, r => r.Path.Contains("/resolve/", StringComparison.Ordinal) && r.Method == "GET");
    }

    [Fact]
    public async Task A_disk_that_becomes_full_is_told_as_such()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs a device that is always full");
        Directory.CreateDirectory(Path.Combine(Repository, "blobs"));
        File.CreateSymbolicLink(Blob(Large) + ".incomplete", "/dev/full");
        Assert.Equal($"The disk of '{Options.CacheFolder}' is full; free some space and pull again to continue, or name another folder with HF_HUB_CACHE.", await FailureAsync());
    }

    [Theory]
    [InlineData("\"not-a-hash\"")]
    [InlineData("../../../evil")]
    public async Task A_file_without_a_hash_is_refused(string tag)
    {
        Remote.Intercept = r => r.Method == "HEAD" ? new FakeResponse(200, [], ("ETag", tag)) : null;
        Assert.Matches("^127.0.0.1 gives no SHA-256 and no git hash of '.*', so that it could not be checked; it may be no Hugging Face-compatible hub.$", await FailureAsync());
    }

    [Fact]
    public async Task A_file_of_another_commit_is_refused()
    {
        Remote.Intercept = r => r.Method == "HEAD" ? new FakeResponse(200, [], ("ETag", Remote.HashOf("config.json")), ("X-Repo-Commit", new string('e', 40))) : null;
        Assert.Matches($"^127.0.0.1 gives '.*' of commit e{{40}} when asked for commit {Remote.Commit}; nothing of it is taken.$", await FailureAsync());
    }

    [Theory]
    [InlineData("<html>", "it is not of the known form")]
    [InlineData("[]", "it is not of the known form")]
    [InlineData("{\"sha\":\"main\",\"siblings\":[]}", "it names no commit")]
    [InlineData("{\"sha\":\"cccccccccccccccccccccccccccccccccccccccc\"}", "it is not of the known form")]
    public async Task A_page_that_is_no_list_is_refused(string body, string why)
    {
        Remote.Intercept = _ => new FakeResponse(200, System.Text.Encoding.UTF8.GetBytes(body));
        Assert.Equal($"127.0.0.1 answers with no usable list of the files of 'test-org/tiny.model': {why}; it may be no Hugging Face-compatible hub (HF_ENDPOINT).", await FailureAsync());
    }

    [Fact]
    public async Task A_hub_that_does_not_exist_is_said_at_once()
    {
        Remote.Server.Dispose();
        Assert.Matches("^127.0.0.1 cannot be reached \\(Connection refused\\); check the network, or name another hub with HF_ENDPOINT.$", await FailureAsync());
        Assert.Empty(Notes);
    }

    [Fact]
    public async Task A_folder_of_the_snapshot_that_is_a_link_is_not_written_through()
    {
        await PullAsync(new PullOptions { Include = ["config.json"] });
        string outside = Directory.CreateDirectory(Path.Combine(Options.CacheFolder, "outside")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(Snapshot, "sub"), outside);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => PullAsync());
        Assert.Equal($"'{Options.CacheFolder}' cannot be written: '{Path.Combine(Snapshot, "sub")}' is a link, where the cache has only folders; delete it; HF_HUB_CACHE names another folder.", error.Message);
        Assert.Empty(Directory.GetFiles(outside));
    }
}
