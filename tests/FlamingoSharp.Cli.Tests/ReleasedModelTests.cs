using FlamingoSharp.Runtime;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Cli.Tests;

/// <summary>Audio Flamingo 2, from its published form to its answers, small, through the real process.</summary>
public sealed class ReleasedModelTests : IClassFixture<ReleasedModelTests.Converted>
{
    private readonly Converted _made;

    public ReleasedModelTests(Converted made) => _made = made;

    [Fact]
    public void Convert_puts_the_three_sources_together()
    {
        var written = ModelVerbTests.Json(_made.Outcome);
        Assert.Equal(("af2-toy", _made.Release.Expected.Weights.Count), (written.GetProperty("name").GetString(), written.GetProperty("tensors").GetInt32()));
        NativeRuntime.EnsureLoaded();
        using var source = Checkpoint.Open(_made.Folder);
        using var embedding = source.Read("lang_encoder.model.embed_tokens.weight");
        using var expected = _made.Release.Expected.Read("lang_encoder.model.embed_tokens.weight");
        TensorAssert.Close(expected, embedding, 0);
    }

    [Fact]
    public void Convert_says_what_else_it_needs()
    {
        string[] line = ["convert", "--checkpoint", _made.Release.CheckpointFolder, "--config", _made.Config, "--out", _made.Release.NewPath()];
        var outcome = ProcessRunner.Run(line);
        Assert.Equal((1, "error: Give the tokenizer by --tokenizer, or a language model that has one by --language-model. See 'flamingo convert --help'.\n"),
            (outcome.ExitCode, outcome.Error));
        outcome = ProcessRunner.Run([.. line, "--tokenizer", _made.Release.LanguageModelFolder]);
        Assert.Equal(3, outcome.ExitCode);
        Assert.Contains("Only what was trained of the language model is in it: convert the checkpoint together with the folder of the plain language model.",
            outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_reads_the_release_the_language_model_and_what_came_of_them()
    {
        string[] Parts(string path) => [.. ModelVerbTests.Json(ProcessRunner.Run("inspect", path, "--json"))
            .GetProperty("parts").EnumerateArray().Select(p => p.GetProperty("part").GetString()!)];
        Assert.Equal(["audio encoder", "audio transformer", "gated cross-attention"], Parts(_made.Release.CheckpointFolder).Order(StringComparer.Ordinal));
        Assert.Equal(["language model"], Parts(_made.Release.LanguageModelFolder));
        var model = ModelVerbTests.Json(ProcessRunner.Run("inspect", _made.Folder, "--json"));
        Assert.Equal(_made.Release.Expected.Weights.Values.Sum(w => w.Count), model.GetProperty("parameters").GetInt64());
        var limits = model.GetProperty("limits");
        Assert.Equal((4, 16000, 4103, "af2"), (limits.GetProperty("seconds_per_sound").GetDouble(), limits.GetProperty("sample_rate").GetInt32(),
            limits.GetProperty("vocabulary_size").GetInt32(), limits.GetProperty("prompt_format").GetString()));
    }

    [Fact]
    public void Ask_uses_the_released_wording_and_limits()
    {
        var line = ModelVerbTests.Json(Run("ask", "a.wav", "Where do the bells ring?", "--options", "Church,Fire Station", "--generate", "--show-prompt", "--json", "--sample", "--seed", "3", "--max-tokens", "4"), allowNotes: true);
        // </s> is the beginning token of the toy's tokenizer; Qwen2.5 has none.
        Assert.Equal("</s><audio>where do the bells ring? choose the correct option from the following options:\n(a) church\n(b) fire station<SEP>",
            line.GetProperty("prompt").GetString());
        var generation = line.GetProperty("generation");
        Assert.Equal((30, 0.95), (generation.GetProperty("top_k").GetInt32(), generation.GetProperty("top_p").GetDouble()));
        Assert.Equal(256, ModelVerbTests.Json(Run("caption", "a.wav", "--json"), allowNotes: true).GetProperty("generation").GetProperty("max_tokens").GetInt32());
    }

    [Fact]
    public void Think_asks_for_tags_and_keeps_a_text_without_them_whole()
    {
        var outcome = Run("ask", "a.wav", "Is it a bell?", "--think", "--show-prompt", "--json");
        var line = ModelVerbTests.Json(outcome, allowNotes: true);
        Assert.EndsWith("is it a bell? output the answer with <summary>, <caption>, <reasoning>, and <conclusion> tags.<SEP>",
            line.GetProperty("prompt").GetString(), StringComparison.Ordinal);
        Assert.Equal(1024, line.GetProperty("generation").GetProperty("max_tokens").GetInt32());
        Assert.False(line.GetProperty("resumed").GetBoolean());
        Assert.False(line.TryGetProperty("conclusion", out _));
        Assert.NotEqual("", line.GetProperty("text").GetString());
        Assert.Contains("note: 'a.wav': the model came to no <CONCLUSION>; its text is given whole.\n", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Chat_says_that_there_are_no_dialogues()
    {
        var outcome = Run("chat", "a.wav");
        Assert.Equal((1, "", "error: af2-toy has no form for dialogues: Audio Flamingo 2 answers single questions. Ask them with 'flamingo ask'.\n"),
            (outcome.ExitCode, outcome.Output, outcome.Error));
    }

    [Fact]
    public void Synth_makes_the_same_form_by_the_recipe()
    {
        string folder = _made.Release.NewPath();
        Assert.Equal("af2-toy", ModelVerbTests.Json(ProcessRunner.Run("synth", "--config", _made.Config, "--out", folder, "--json")).GetProperty("name").GetString());
        NativeRuntime.EnsureLoaded();
        using var source = Checkpoint.Open(folder);
        Assert.Equal(_made.Release.Expected.Weights.Keys, source.Weights.Keys);
        foreach (var (name, info) in source.Weights)
        {
            var recipe = SyntheticTensor.For(name, info.Shape);
            using var found = source.Read(name);
            Assert.Equal(SyntheticWeights.Values(name, info.Count, recipe.Center, recipe.Amplitude), found.data<float>().ToArray());
        }
        var both = ProcessRunner.Run("synth", "--config", _made.Config, "--preset", "af2-3b", "--out", folder + "2");
        Assert.Equal((1, "error: Give the model's form by --preset or by --config. See 'flamingo synth --help'.\n"), (both.ExitCode, both.Error));
    }

    private ProcessOutcome Run(params IReadOnlyList<string> arguments) => ProcessRunner.RunIn(_made.Sounds, null, null, [.. arguments, "--model", _made.Folder]);

    /// <summary>A release and the model converted from it.</summary>
    public sealed class Converted : IDisposable
    {
        public Converted()
        {
            Config = Release.NewPath();
            File.WriteAllText(Config, ReleasedModel.Config.ToJson());
            Outcome = ProcessRunner.Run("convert", "--checkpoint", Release.CheckpointFolder, "--language-model", Release.LanguageModelFolder,
                "--config", Config, "--out", Folder, "--json");
            Sounds = Directory.CreateDirectory(Release.NewPath()).FullName;
            WaveFile.Tone(Path.Combine(Sounds, "a.wav"), 3);
        }

        public ReleasedModel Release { get; } = new(ReleasedChunks.TrainedWithoutEmbedding);

        public string Config { get; }

        public string Folder => Config + "-model";

        public string Sounds { get; }

        internal ProcessOutcome Outcome { get; }

        public void Dispose() => Release.Dispose();
    }
}
