using FlamingoSharp.Hub;

namespace FlamingoSharp.Tests.Hub;

/// <summary>Pulls that go well, and what they leave.</summary>
public sealed class ModelHubTests : PullTest
{
    [Fact]
    public async Task A_pull_leaves_the_layout_that_python_reads()
    {
        var pulled = await PullAsync();
        Assert.Equal((Snapshot, 3, 3, 300_000 + 8), (pulled.Folder, pulled.Files, pulled.Downloaded, pulled.Bytes));
        foreach (var (path, content) in Remote.Files)
            Assert.Equal(content, File.ReadAllBytes(Path.Combine(Snapshot, path)));
        Assert.Equal($"../../blobs/{Remote.HashOf("model.safetensors")}", new FileInfo(Path.Combine(Snapshot, "model.safetensors")).LinkTarget);
        Assert.Equal($"../../../blobs/{Remote.HashOf("sub/notes.txt")}", new FileInfo(Path.Combine(Snapshot, "sub/notes.txt")).LinkTarget);
        Assert.Equal(Remote.Commit, File.ReadAllText(Path.Combine(Repository, "refs", "main")));
        Assert.Equal(Remote.Files.Keys.Select(Remote.HashOf).Order(), Directory.GetFiles(Path.Combine(Repository, "blobs")).Select(Path.GetFileName).Order());
        Assert.Equal(["blobs", "refs", "snapshots"], Directory.GetDirectories(Repository).Select(Path.GetFileName).Order());
        Assert.Equal(Snapshot, ModelHub.FindSnapshot(Id, Options));
        Assert.Empty(Notes);
    }

    [Fact]
    public async Task A_second_pull_asks_for_nothing_but_the_list()
    {
        await PullAsync();
        Remote.Server.Requests.Clear();
        Remote.Storage.Requests.Clear();
        var pulled = await PullAsync();
        Assert.Equal((Snapshot, 3, 0, 0), (pulled.Folder, pulled.Files, pulled.Downloaded, pulled.Bytes));
        Assert.Single(Remote.Server.Requests);
        Assert.Empty(Remote.Storage.Requests);
    }

    [Fact]
    public async Task A_new_commit_shares_what_has_not_changed()
    {
        string before = (await PullAsync()).Folder;
        Remote.Commit = new string('d', 40);
        Remote.Add("config.json", "{ }");
        var pulled = await PullAsync();
        Assert.Equal((Snapshot, 1, 3), (pulled.Folder, pulled.Downloaded, (int)pulled.Bytes));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(before, "config.json")));
        Assert.Equal(before, ModelHub.FindSnapshot(HubModelId.Parse(Remote.Repository, new string('c', 40)), Options));
    }

    [Fact]
    public async Task What_python_has_downloaded_is_not_downloaded_again()
    {
        Directory.CreateDirectory(Path.Combine(Repository, "blobs"));
        File.WriteAllBytes(Blob("model.safetensors"), Remote.Files["model.safetensors"]);
        Assert.Equal(2, (await PullAsync()).Downloaded);
        Assert.DoesNotContain(Remote.Storage.Requests, r => r.Method == "GET");
    }

    [Fact]
    public async Task Patterns_choose_files_and_a_later_pull_adds_the_others()
    {
        var some = await PullAsync(new PullOptions { Include = ["*.json", "sub/"], Exclude = ["*.txt"] });
        Assert.Equal(1, some.Files);
        Assert.Equal(["config.json"], Directory.GetFiles(Snapshot).Select(Path.GetFileName));
        Assert.False(Directory.Exists(Path.Combine(Snapshot, "sub")));
        var rest = await PullAsync();
        Assert.Equal((3, 2), (rest.Files, rest.Downloaded));
        Assert.Equal(Remote.Files["sub/notes.txt"], File.ReadAllBytes(Path.Combine(Snapshot, "sub/notes.txt")));
        var error = await Assert.ThrowsAsync<FlamingoException>(() => PullAsync(new PullOptions { Include = ["*.bin"] }));
        Assert.Equal("None of the 3 files of 'test-org/tiny.model' is asked for; check --include and --exclude.", error.Message);
    }

    [Fact]
    public async Task The_licence_is_read_from_card_and_text_and_must_be_accepted_once_and_again_when_it_changes()
    {
        Remote.Add("LICENSE", "Only \u001b[31mfor\u001b[0m research.\n");
        using var hub = new ModelHub(Options);
        var model = await hub.FindAsync(Id);
        Assert.Equal(("cc-by-nc-4.0", "Only [31mfor[0m research."), (model.License.Name, model.License.Text));
        Assert.Equal($"cc-by-nc-4.0 ({Remote.Server.Address}/test-org/tiny.model/blob/main/LICENSE)", model.License.Describe());
        Assert.False(hub.IsAccepted(model.License));
        var error = await Assert.ThrowsAsync<FlamingoException>(() => hub.PullAsync(model));
        Assert.Equal((FlamingoErrorKind.Usage, $"The licence of 'test-org/tiny.model' has not been accepted: {model.License.Describe()}."), (error.Kind, error.Message));
        Assert.DoesNotContain(Remote.Server.Requests, r => r.Method == "HEAD");

        hub.Accept(model.License);
        using var later = new ModelHub(Options);
        Assert.True(later.IsAccepted((await later.FindAsync(Id)).License));
        Remote.Add("LICENSE", "Not even for research.\n");
        Assert.False(later.IsAccepted((await later.FindAsync(Id)).License));
    }

    [Fact]
    public async Task Two_pulls_at_once_download_everything_once()
    {
        Remote.InterceptStorage = r => Testing.Slowly(Remote, r, "model.safetensors", bytesAtOnce: 30_000);
        var results = await Task.WhenAll(PullAsync(), PullAsync(), PullAsync());
        Assert.All(results, r => Assert.Equal(Snapshot, r.Folder));
        Assert.Equal(300_008, results.Sum(r => r.Bytes));
        Assert.Equal(Remote.Files["model.safetensors"], File.ReadAllBytes(Path.Combine(Snapshot, "model.safetensors")));
        Assert.Contains("Another process is downloading 'model.safetensors'; waiting for it.", Notes);
    }

    [Fact]
    public async Task Progress_ends_at_the_sum_of_all_files()
    {
        var seen = new List<PullProgress>();
        await PullAsync(new PullOptions { Progress = new Told(seen) });
        Assert.Equal((300_008, 300_008), (seen[^1].BytesDone, seen[^1].BytesTotal));
        Assert.Equal(seen.Select(p => p.BytesDone).Order(), seen.Select(p => p.BytesDone));
    }

    [Fact]
    public async Task Offline_nothing_is_asked_and_what_is_there_is_found()
    {
        await PullAsync();
        Options = Options with { Offline = true };
        Remote.Server.Requests.Clear();
        var error = await Assert.ThrowsAsync<FlamingoException>(() => PullAsync());
        Assert.Equal("'test-org/tiny.model' cannot be pulled while HF_HUB_OFFLINE is set; unset it.", error.Message);
        Assert.Equal(Snapshot, ModelHub.FindSnapshot(Id, Options));
        Assert.Empty(Remote.Server.Requests);
    }

    [Theory]
    [InlineData("org/name", "org/name", "main")]
    [InlineData("org/name@v1.0", "org/name", "v1.0")]
    [InlineData("org/name@refs/pr/1", "org/name", "refs/pr/1")]
    public void A_model_is_named_by_repository_and_revision(string text, string repository, string revision)
    {
        var id = HubModelId.Parse(text);
        Assert.Equal((repository, revision), (id.Repository, id.Revision));
        Assert.Equal(text, id.ToString());
    }

    [Theory]
    [InlineData("name", "'name' is no model of a hub; expected ORG/NAME or ORG/NAME@REVISION.")]
    [InlineData("a/b/c", "'a/b/c' is no model of a hub; expected ORG/NAME or ORG/NAME@REVISION.")]
    [InlineData("../name", "'../name' is no model of a hub; expected ORG/NAME or ORG/NAME@REVISION.")]
    [InlineData("org/na--me", "'org/na--me' is no model of a hub; expected ORG/NAME or ORG/NAME@REVISION.")]
    [InlineData("org/name@../../x", "'../../x' is no revision; expected a branch, a tag or a commit.")]
    [InlineData("org/name@", "'' is no revision; expected a branch, a tag or a commit.")]
    public void Other_names_are_refused(string text, string message)
    {
        Assert.Equal(message, Assert.Throws<FlamingoException>(() => HubModelId.Parse(text)).Message);
        Assert.Null(HubModelId.TryParse(text));
    }

    private sealed class Told(List<PullProgress> seen) : IProgress<PullProgress>
    {
        public void Report(PullProgress value) => seen.Add(value);
    }
}
