using System.Diagnostics;
using System.Text.Json;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Cli.Tests;

/// <summary><c>flamingo pull</c> through the real process, from a real server on this machine.</summary>
[Collection(WithTinyModel.Name)]
public sealed class PullTests : IDisposable
{
    private readonly TinyModel _model;
    private readonly FakeHub _hub = new();
    private readonly string _home;

    public PullTests(TinyModel model)
    {
        _model = model;
        _home = model.NewPath();
        foreach (string file in Directory.GetFiles(model.Folder))
        {
            byte[] content = File.ReadAllBytes(file);
            _ = file.EndsWith(".safetensors", StringComparison.Ordinal)
                ? _hub.AddLarge(Path.GetFileName(file), content) : _hub.Add(Path.GetFileName(file), content);
        }
    }

    private Dictionary<string, string> Variables => new()
    {
        ["HF_ENDPOINT"] = _hub.Server.Address,
        ["HF_HOME"] = Path.Combine(_home, "hf"),
        ["HF_TOKEN"] = "secret",
        ["FLAMINGO_HOME"] = Path.Combine(_home, "flamingo"),
        ["no_proxy"] = "127.0.0.1",
    };

    private string Repository => Path.Combine(_home, "hf", "hub", "models--test-org--tiny.model");

    private string Snapshot => Path.Combine(Repository, "snapshots", _hub.Commit);

    private string Weights => _hub.Files.Keys.Single(f => f.EndsWith(".safetensors", StringComparison.Ordinal));

    private string Incomplete => Path.Combine(Repository, "blobs", _hub.HashOf(Weights) + ".incomplete");

    private ProcessOutcome Run(params IReadOnlyList<string> arguments) => ProcessRunner.RunIn(_model.Sounds, null, Variables, arguments);

    private Process Start(params IReadOnlyList<string> arguments) => ProcessRunner.Start(_model.Sounds, Variables, arguments);

    private static ProcessOutcome Finish(Process process) =>
        ProcessRunner.Finish(process, process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());

    private void SendSlowly() => _hub.InterceptStorage = r => _hub.IsFor(r, Weights)
        ? FakeHub.Serve(r, _hub.Files[Weights], "\"stored-1\"") with { Slow = _hub.Files[Weights].Length / 200 } : null;

    [Fact]
    public void A_pulled_model_answers_by_its_name_also_offline()
    {
        var missing = Run("caption", "a.wav", "--model", _hub.Repository, "--max-tokens", "4");
        Assert.Equal((3, $"error: There is no folder 'test-org/tiny.model', and no such model in the cache '{Path.Combine(_home, "hf", "hub")}'. 'flamingo pull test-org/tiny.model' downloads one of that name.\n"),
            (missing.ExitCode, missing.Error));

        var pulled = Run("pull", _hub.Repository, "--accept-license");
        Assert.Equal((0, Snapshot + "\n"), (pulled.ExitCode, pulled.Output));
        Assert.Contains($"note: 'test-org/tiny.model' stands under this licence, which you accept: cc-by-nc-4.0 ({_hub.Server.Address}/test-org/tiny.model).\n", pulled.Error, StringComparison.Ordinal);
        Assert.Contains($"note: {_hub.Files.Count} of {_hub.Files.Count} files downloaded, ", pulled.Error, StringComparison.Ordinal);
        Assert.All(_hub.Server.Requests, r => Assert.Equal("Bearer secret", r["Authorization"]));
        Assert.All(_hub.Storage.Requests, r => Assert.Null(r["Authorization"]));

        string expected = _model.Run("caption", "a.wav").Output;
        _hub.Dispose();
        Assert.Equal(expected, Run("caption", "a.wav", "--model", _hub.Repository, "--max-tokens", "4").Output);
        Assert.Equal(expected, Run("caption", "a.wav", "--model", $"{_hub.Repository}@{_hub.Commit}", "--max-tokens", "4").Output);
        Assert.Contains(Snapshot, Run("inspect", _hub.Repository).Output, StringComparison.Ordinal);
        var offline = ProcessRunner.RunIn(null, null, new Dictionary<string, string>(Variables) { ["HF_HUB_OFFLINE"] = "1" }, "pull", _hub.Repository);
        Assert.Equal((0, Snapshot + "\n"), (offline.ExitCode, offline.Output));
    }

    [Fact]
    public void Where_nobody_can_be_asked_the_licence_must_be_accepted_on_the_line_once()
    {
        var refused = Run("pull", _hub.Repository);
        Assert.Equal((1, "", $"error: 'test-org/tiny.model' stands under a licence that has not been accepted here: cc-by-nc-4.0 ({_hub.Server.Address}/test-org/tiny.model). Read it, then pull with --accept-license.\n"),
            (refused.ExitCode, refused.Output, refused.Error));
        Assert.False(Directory.Exists(Repository));
        Assert.Equal(0, Run("pull", _hub.Repository, "--accept-license", "--include", "config.json").ExitCode);
        var line = JsonDocument.Parse(Run("pull", _hub.Repository, "--json").Output).RootElement;
        Assert.Equal((Snapshot, _hub.Files.Count, _hub.Files.Count - 1, "cc-by-nc-4.0"),
            (line.GetProperty("folder").GetString(), line.GetProperty("files").GetInt32(), line.GetProperty("downloaded").GetInt32(), line.GetProperty("license").GetString()));
    }

    [Fact]
    public void A_pull_killed_in_the_middle_leaves_no_model_and_the_next_one_continues()
    {
        SendSlowly();
        using var process = Start("pull", _hub.Repository, "--accept-license");
        WaitUntil(() => File.Exists(Incomplete) && new FileInfo(Incomplete).Length > _hub.Files[Weights].Length / 4);
        process.Kill(); // SIGKILL
        process.WaitForExit();
        Assert.False(Directory.Exists(Path.Combine(Repository, "snapshots")));
        Assert.Equal(3, Run("caption", "a.wav", "--model", _hub.Repository).ExitCode);
        long left = new FileInfo(Incomplete).Length;
        Assert.InRange(left, _hub.Files[Weights].Length / 4, _hub.Files[Weights].Length - 1);

        _hub.InterceptStorage = null;
        var again = Run("pull", _hub.Repository);
        Assert.Equal((0, Snapshot + "\n"), (again.ExitCode, again.Output));
        Assert.Equal($"bytes={left}-", _hub.Storage.Requests.Last()["Range"]);
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
        Assert.Equal(0, Run("caption", "a.wav", "--model", _hub.Repository, "--max-tokens", "4").ExitCode);
    }

    [Fact]
    public void Two_processes_that_pull_the_same_model_download_it_once()
    {
        SendSlowly();
        using var one = Start("pull", _hub.Repository, "--accept-license");
        using var other = Start("pull", _hub.Repository, "--accept-license");
        ProcessOutcome[] both = [Finish(one), Finish(other)];
        Assert.All(both, o => Assert.Equal((0, Snapshot + "\n"), (o.ExitCode, o.Output)));
        Assert.Equal(_hub.Files.Count, _hub.Server.Requests.Concat(_hub.Storage.Requests)
            .Count(r => r.Method == "GET" && (r.Path.StartsWith("/bucket/", StringComparison.Ordinal) || (r.Path.Contains("/resolve/", StringComparison.Ordinal) && !_hub.IsFor(r, Weights)))));
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
    }

    [Theory]
    [InlineData("y", 0)]
    [InlineData("", 1)]
    public void A_person_at_a_terminal_is_shown_the_licence_and_asked(string answer, int code)
    {
        _hub.Add("LICENSE", "For research only.\n");
        string command = $"dotnet '{Path.Combine(AppContext.BaseDirectory, "flamingo.dll")}' pull {_hub.Repository}";
        var start = new ProcessStartInfo("script", ["-qec", command, "/dev/null"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("The tool 'script', which plays a terminal, is not installed.");
            return;
        }
        using (process)
        {
            process.StandardInput.WriteLine(answer);
            process.StandardInput.Flush();
            var outcome = Finish(process);
            Assert.Equal(code, outcome.ExitCode);
            Assert.Contains("For research only.", outcome.Output, StringComparison.Ordinal);
            Assert.Contains($"'test-org/tiny.model' stands under this licence: cc-by-nc-4.0 ({_hub.Server.Address}/test-org/tiny.model/blob/main/LICENSE). Do you accept it? [y/N]", outcome.Output, StringComparison.Ordinal);
            Assert.Equal(code == 0, File.Exists(Path.Combine(Snapshot, Weights)));
            if (code != 0)
                Assert.Contains("The licence was not accepted; nothing was downloaded.", outcome.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_interrupt_ends_a_pull_in_order()
    {
        SendSlowly();
        using var process = Start("pull", _hub.Repository, "--accept-license");
        WaitUntil(() => File.Exists(Incomplete));
        using var kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
        var outcome = Finish(process);
        Assert.Equal((130, ""), (outcome.ExitCode, outcome.Output));
        Assert.EndsWith("error: cancelled.\n", outcome.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Repository, "snapshots")));
    }

    [Theory]
    [InlineData(1, "'tiny' is no model of a hub; expected ORG/NAME or ORG/NAME@REVISION.", "tiny")]
    [InlineData(1, "'a/b@v1' names the revision 'v1', but 'v2' is asked for too; name one.", "a/b@v1", "--revision", "v2")]
    [InlineData(3, "There is no 'a/b' at 127.0.0.1; check the name.", "a/b")]
    [InlineData(3, "'test-org/tiny.model' has no revision 'v9' at 127.0.0.1; check the branch, tag or commit.", "test-org/tiny.model", "--revision", "v9")]
    public void What_cannot_be_pulled_is_said_in_one_sentence(int code, string sentence, params string[] arguments)
    {
        var outcome = Run(["pull", .. arguments]);
        Assert.Equal((code, "", $"error: {sentence}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
    }

    [Fact]
    public void An_endpoint_that_is_no_address_is_wrong_usage()
    {
        var outcome = ProcessRunner.RunIn(null, null, new Dictionary<string, string> { ["HF_ENDPOINT"] = "hub" }, "pull", "a/b");
        Assert.Equal((1, "error: HF_ENDPOINT is 'hub'; it must be an address that begins with https:// or http://.\n"), (outcome.ExitCode, outcome.Error));
    }

    public void Dispose() => _hub.Dispose();

    private static void WaitUntil(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(() => { Thread.Sleep(10); return condition(); }, TimeSpan.FromMinutes(1)), "It did not come that far within a minute.");
}
