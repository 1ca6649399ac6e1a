using System.Text.Json;
using FlamingoSharp.Embeddings;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Cli.Tests;

/// <summary>embed and classify --zero-shot through the real process.</summary>
public sealed class EmbedTests : IDisposable
{
    private readonly TinyClap _clap = new();
    private readonly DirectoryInfo _sounds = Directory.CreateTempSubdirectory("flamingo-embed-");

    public EmbedTests()
    {
        WaveFile.Tone(PathOf("a.wav"), 2);
        WaveFile.Tone(PathOf("long.wav"), 6);
        File.WriteAllText(PathOf("text.wav"), "hello there\n");
    }

    [Fact]
    public void Embeddings_of_files_and_texts_are_printed_and_stored()
    {
        var printed = Run("embed", "a.wav", "--text", "a dog", "--json");
        Assert.Equal((0, ""), (printed.ExitCode, printed.Error));
        var lines = printed.Lines.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.Equal(("a.wav", "a dog"), (lines[0].GetProperty("file").GetString(), lines[1].GetProperty("text").GetString()));
        Assert.All(lines, l => Assert.Equal((24, 24, "tiny-clap", 64),
            (l.GetProperty("embedding").GetArrayLength(), l.GetProperty("dimensions").GetInt32(), l.GetProperty("model").GetString(), l.GetProperty("weights_hash").GetString()!.Length)));
        Assert.Equal((2, 2.0, 0.0), (lines[0].GetProperty("windows").GetInt32(), lines[0].GetProperty("seconds_heard").GetDouble(), lines[0].GetProperty("seconds_dropped").GetDouble()));
        Assert.False(lines[1].TryGetProperty("windows", out _));

        var stored = Run("embed", "a.wav", "text.wav", "--text", "a dog", "--out", "e.safetensors");
        Assert.Equal((2, "e.safetensors: 2 embeddings of 24 dimensions\n"), (stored.ExitCode, stored.Output));
        Assert.Contains("'text.wav' holds text", stored.Error, StringComparison.Ordinal);
        using var file = Checkpoint.Open(PathOf("e.safetensors"));
        using var vector = file.Read("a.wav");
        Assert.Equal(lines[0].GetProperty("embedding").EnumerateArray().Select(e => e.GetSingle()), vector.data<float>().ToArray());
    }

    [Fact]
    public void Zero_shot_gives_the_label_and_probabilities_and_says_what_was_not_heard()
    {
        var plain = Run("classify", "long.wav", "--labels", "dog,rain", "--zero-shot");
        Assert.Equal(0, plain.ExitCode);
        Assert.Matches(@"^(dog|rain) \(\d+ %\)\n$", plain.Output);
        Assert.Equal("note: 'long.wav': heard 4.0 s of 6.0 s; the rest does not fit this model: hear it with --start 4.0.\n", plain.Error);

        var json = JsonDocument.Parse(Run("classify", "a.wav", "--labels", "dog,rain,bell", "--zero-shot", "--json", "--template", "sound of {0}").Output).RootElement;
        Assert.Equal(1, json.GetProperty("scores").EnumerateArray().Sum(s => s.GetProperty("probability").GetDouble()), 1e-9);
        Assert.Equal("sound of {0}", json.GetProperty("template").GetString());
        using var clap = ClapModel.Load(_clap.Folder);
        Assert.Equal(new ZeroShot(clap, ["dog", "rain", "bell"], "sound of {0}").Classify(PathOf("a.wav"))[0].Label, json.GetProperty("label").GetString());
    }

    [Theory]
    [InlineData(1, "Give sound files, or texts by --text. See 'flamingo embed --help'.", "embed")]
    [InlineData(1, "--json prints and --out stores; give one of them. See 'flamingo embed --help'.", "embed", "a.wav", "--json", "--out", "e.npy")]
    [InlineData(1, "'e.csv' ends neither in .safetensors nor in .npy; choose one of them.", "embed", "a.wav", "--out", "e.csv")]
    [InlineData(1, "--zero-shot chooses one label and does not reason; leave --multi and --think out. See 'flamingo classify --help'.", "classify", "a.wav", "--labels", "a,b", "--zero-shot", "--multi")]
    [InlineData(1, "--template and --tokenizer belong to --zero-shot; give that too. See 'flamingo classify --help'.", "classify", "a.wav", "--labels", "a,b", "--template", "{0}")]
    [InlineData(1, "Zero-shot classification chooses among labels, but got 1; give two or more.", "classify", "a.wav", "--labels", "a", "--zero-shot")]
    public void Contradictions_are_one_sentence(int code, string message, params string[] arguments)
    {
        var outcome = Run(arguments);
        Assert.Equal((code, $"error: {message}\n"), (outcome.ExitCode, outcome.Error));
    }

    public void Dispose()
    {
        _clap.Dispose();
        _sounds.Delete(recursive: true);
    }

    private ProcessOutcome Run(params IReadOnlyList<string> arguments) =>
        ProcessRunner.RunIn(_sounds.FullName, null, new Dictionary<string, string> { ["FLAMINGO_CLAP"] = _clap.Folder }, arguments);

    private string PathOf(string name) => Path.Combine(_sounds.FullName, name);
}
