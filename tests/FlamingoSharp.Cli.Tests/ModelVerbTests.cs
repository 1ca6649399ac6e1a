using System.Text.Json;
using FlamingoSharp.Runtime;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Cli.Tests;

/// <summary>inspect, convert, synth, bench, doctor, help.</summary>
[Collection(WithTinyModel.Name)]
public sealed class ModelVerbTests(TinyModel model)
{
    internal static JsonElement Json(ProcessOutcome outcome, bool allowNotes = false)
    {
        Assert.Equal((0, ""), (outcome.ExitCode, allowNotes ? "" : outcome.Error));
        return JsonDocument.Parse(outcome.Output).RootElement;
    }

    [Fact]
    public void Inspect_counts_every_parameter_and_states_the_limits()
    {
        var line = Json(ProcessRunner.Run("inspect", model.Folder, "--json"));
        Assert.Equal(model.Config.DescribeWeights().Sum(w => w.Count), line.GetProperty("parameters").GetInt64());
        Assert.Equal(["audio encoder", "audio transformer", "language model", "gated cross-attention"],
            line.GetProperty("parts").EnumerateArray().Select(p => p.GetProperty("part").GetString()));
        var limits = line.GetProperty("limits");
        Assert.Equal((12.75, 512, 1),
            (limits.GetProperty("seconds_per_sound").GetDouble(), limits.GetProperty("context_tokens").GetInt32(), limits.GetProperty("sound_slots").GetInt32()));
        var text = ProcessRunner.Run("inspect", model.Folder, "--tensors");
        Assert.Contains("longest sound  12.75 s (4 windows at 32000 Hz), 1 a prompt", text.Output, StringComparison.Ordinal);
        Assert.Contains("lang_encoder.model.decoder.embed_tokens.weight  [4103, 64]  float32", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_reads_a_bare_checkpoint_and_refuses_other_files()
    {
        var line = Json(ProcessRunner.Run("inspect", Path.Combine(model.Folder, "model.safetensors"), "--json"));
        Assert.Equal(model.Config.DescribeWeights().Count, line.GetProperty("dtypes").GetProperty("float32").GetInt32());
        Assert.False(line.TryGetProperty("limits", out _));
        string text = Path.Combine(model.Sounds, "text.wav");
        var refused = ProcessRunner.Run("inspect", text);
        Assert.Equal((3, $"error: {text}: byte 0: this is no checkpoint of a known form (safetensors or torch).\n"), (refused.ExitCode, refused.Error));
    }

    [Fact]
    public void The_average_of_a_model_with_itself_is_that_model()
    {
        string mean = model.NewPath();
        var made = ProcessRunner.Run("train", "average", model.Folder, model.Folder, "--out", mean);
        Assert.Equal((0, "", mean + "\n"), (made.ExitCode, made.Error, made.Output));
        var caption = ProcessRunner.RunIn(model.Sounds, null, null, "caption", "a.wav", "--max-tokens", "4", "--model", mean);
        Assert.Equal((0, model.Run("caption", "a.wav").Output), (caption.ExitCode, caption.Output));
        var alone = ProcessRunner.Run("train", "average", model.Folder, "--out", model.NewPath());
        Assert.Equal((1, "error: 1 model was named; an average needs two or more.\n"), (alone.ExitCode, alone.Error));
    }

    [Fact]
    public void Convert_joins_two_checkpoints_into_the_model_they_came_from()
    {
        string folder = model.NewPath(), clap = Path.Combine(folder, "clap.safetensors"), rest = Path.Combine(folder, "rest.safetensors");
        Directory.CreateDirectory(folder);
        NativeRuntime.EnsureLoaded();
        using (var all = Checkpoint.Open(model.Folder))
        {
            SafeTensorsWriter.WriteFile(clap, new PartOfCheckpoint(all, n => n.StartsWith("clap.", StringComparison.Ordinal)));
            SafeTensorsWriter.WriteFile(rest, new PartOfCheckpoint(all, n => !n.StartsWith("clap.", StringComparison.Ordinal)));
        }
        string converted = Path.Combine(folder, "model");
        string[] line = ["convert", "--checkpoint", rest, "--clap", clap, "--tokenizer", model.Folder, "--preset", "tiny", "--out", converted];
        Assert.Equal("tiny", Json(ProcessRunner.Run([.. line, "--json"])).GetProperty("name").GetString());
        var caption = ProcessRunner.RunIn(model.Sounds, null, null, "caption", "a.wav", "--max-tokens", "4", "--model", converted);
        Assert.Equal((0, model.Run("caption", "a.wav").Output), (caption.ExitCode, caption.Output));

        var again = ProcessRunner.Run(line);
        Assert.Equal((1, $"error: {converted} exists already; choose another name or delete it first.\n"), (again.ExitCode, again.Error));
    }

    [Fact]
    public void Convert_tells_what_is_missing_and_writes_nothing()
    {
        string weights = Path.Combine(model.Folder, "model.safetensors"), converted = model.NewPath();
        var other = ProcessRunner.Run("convert", "--checkpoint", weights, "--tokenizer", model.Folder, "--preset", "flamingo-mini", "--out", converted);
        Assert.Equal((3, ""), (other.ExitCode, other.Output));
        Assert.StartsWith($"error: {weights} does not fit the model: ", other.Error, StringComparison.Ordinal);
        var missing = ProcessRunner.Run("convert", "--checkpoint", "nowhere.pt", "--tokenizer", model.Folder, "--preset", "tiny", "--out", converted);
        Assert.Equal(3, missing.ExitCode);
        Assert.StartsWith("error: nowhere.pt", missing.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(converted));
    }

    [Fact]
    public void Synth_writes_the_wanted_element_type_and_never_over_something()
    {
        string folder = model.NewPath();
        Assert.Equal(0, ProcessRunner.Run("synth", "--preset", "tiny", "--dtype", "bf16", "--out", folder).ExitCode);
        var dtypes = Json(ProcessRunner.Run("inspect", folder, "--json")).GetProperty("dtypes");
        Assert.Equal(model.Config.DescribeWeights().Count, dtypes.GetProperty("bfloat16").GetInt32());
        var again = ProcessRunner.Run("synth", "--preset", "tiny", "--out", folder);
        Assert.Equal((1, $"error: {folder} exists already; choose another name or delete it first.\n"), (again.ExitCode, again.Error));
        var unknown = ProcessRunner.Run("synth", "--preset", "huge", "--out", folder);
        Assert.Equal((1, "error: There is no preset 'huge' here. Known are af1, af1-foundation, af1-chat, af2-0.5b, af2-1.5b, af2-3b, flamingo-mini, tiny. See 'flamingo synth --help'.\n"),
            (unknown.ExitCode, unknown.Error));
    }

    [Fact]
    public void Bench_reports_every_figure_and_removes_its_weights()
    {
        string temporary = model.NewPath();
        Directory.CreateDirectory(temporary);
        var outcome = ProcessRunner.RunIn(null, null, new Dictionary<string, string> { ["TMPDIR"] = temporary },
            "bench", "--preset", "tiny", "--json", "--runs", "2", "--windows", "2", "--tokens", "8", "--threads", "1");
        var line = Json(outcome);
        foreach (string figure in new[]
        {
            "load_seconds", "encoder_ms_per_window", "prefill_tokens_per_second", "decode_tokens_per_second", "time_to_first_token_ms", "peak_rss_mb", "sound_seconds", "prompt_tokens",
        })
        {
            Assert.True(line.GetProperty(figure).GetDouble() > 0, figure);
        }
        Assert.Equal((2, 7.65), (line.GetProperty("windows").GetInt32(), line.GetProperty("sound_seconds").GetDouble()));
        Assert.Equal(("tiny", "cpu", "float32", 1, 2, 8), (line.GetProperty("model").GetString(), line.GetProperty("device").GetString(),
            line.GetProperty("dtype").GetString(), line.GetProperty("threads").GetInt32(), line.GetProperty("runs").GetInt32(), line.GetProperty("generated_tokens").GetInt32()));
        Assert.Empty(Directory.GetDirectories(temporary, "flamingo-bench-*"));
    }

    [Fact]
    public void Doctor_names_libraries_processor_and_paths_tried()
    {
        var report = Json(ProcessRunner.Run("doctor", "--json"));
        Assert.StartsWith("0.107.0", report.GetProperty("torch_sharp").GetString(), StringComparison.Ordinal);
        Assert.True(report.GetProperty("matrix_product_gflops").GetDouble() > 0);
        Assert.Contains("loaded", report.GetProperty("tried").EnumerateArray().Last().GetString(), StringComparison.Ordinal);
        var text = ProcessRunner.Run("doctor");
        foreach (string row in new[] { "TorchSharp", "libtorch", "processor", "CUDA", "ffmpeg", "matrix product", "paths tried", "advice" })
            Assert.Contains($"\n{row}", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Doctor_advises_when_ffmpeg_and_libtorch_are_missing()
    {
        var variables = new Dictionary<string, string> { ["FLAMINGO_FFMPEG"] = "no-such-ffmpeg", ["FLAMINGO_LIBTORCH"] = "/no/such/folder" };
        var outcome = ProcessRunner.RunIn(null, null, variables, "doctor");
        Assert.Equal(4, outcome.ExitCode);
        Assert.Contains("Install ffmpeg", outcome.Output, StringComparison.Ordinal);
        Assert.StartsWith("error: There is no folder '/no/such/folder' to take libtorch from.", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("caption")]
    [InlineData("ask")]
    [InlineData("classify")]
    [InlineData("chat")]
    [InlineData("pull")]
    [InlineData("inspect")]
    [InlineData("convert")]
    [InlineData("synth")]
    [InlineData("bench")]
    [InlineData("doctor")]
    [InlineData("train", "encoder")]
    public void Help_of_every_verb_has_examples_and_exit_codes(params string[] verb)
    {
        var outcome = ProcessRunner.Run([.. verb, "--help"]);
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        Assert.Contains($"Examples:\n  ", outcome.Output, StringComparison.Ordinal);
        Assert.Contains($"flamingo {string.Join(' ', verb)}", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("Exit codes: 0 ok, 1 wrong usage, 2 bad input file, 3 model or weights, 4 device", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_makes_a_tokenizer_from_a_list_of_merges()
    {
        string merges = model.NewPath(), file = model.NewPath();
        File.WriteAllText(merges, "#version: 0.2\nt h\nth e\na n\n");
        var made = ProcessRunner.Run("train", "mini-tokenizer", "--merges", merges, "--count", "2", "--out", file);
        Assert.Equal((0, file + "\n"), (made.ExitCode, made.Output));
        Assert.Contains("\"t h\"", File.ReadAllText(file), StringComparison.Ordinal);
        var tooMany = ProcessRunner.Run("train", "mini-tokenizer", "--merges", merges, "--count", "9", "--out", file);
        Assert.Equal((1, $"error: '{merges}' holds 3 merges, but 9 were asked for.\n"), (tooMany.ExitCode, tooMany.Error));
    }

    /// <summary>The tensors of a checkpoint whose names pass.</summary>
    private sealed class PartOfCheckpoint(IWeightSource all, Func<string, bool> passes) : IWeightSource
    {
        public string Origin => all.Origin;

        public IReadOnlyDictionary<string, WeightInfo> Weights { get; } = all.Weights.Where(w => passes(w.Key)).ToDictionary();

        public Tensor Read(string name, ScalarType? type = null) => all.Read(name, type);

        public void Dispose()
        {
        }
    }
}
