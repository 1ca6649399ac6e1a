using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

public sealed class ModelFolderTests
{
    [Fact, NoTensorLeak]
    public void Published_files_become_one_folder_that_opens()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var request = Request(folder);
        int reported = 0;
        var result = Conversion.Run(request with { Type = ScalarType.BFloat16, Progress = new Count(() => reported++) });

        Assert.Equal(["config.json", "merges.txt", "model.safetensors", "vocab.json"],
            Directory.EnumerateFiles(request.Output).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        var model = ModelFolder.Open(request.Output);
        Assert.Equal("{\"preset\": 1}", File.ReadAllText(model.ConfigPath));
        using var weights = model.OpenWeights();
        Assert.Equal(
            [
                "audio_transformer.layer_norm.weight", "clap.base.htsat.bn0.running_mean", "clap.base.htsat.bn0.weight",
                "lang_encoder.model.decoder.embed_tokens.weight", "lang_encoder.model.decoder.layers.0.decoder_layer.fc1.weight",
            ],
            weights.Weights.Keys.Order(StringComparer.Ordinal));
        Assert.All(weights.Weights.Values, w => Assert.Equal(ScalarType.BFloat16, w.Type));
        Assert.Equal(5, result.Tensors);
        Assert.Equal(5, reported);
        Assert.Contains("gpt.x", result.Ignored);
        Assert.Contains("lang_encoder.lm_head.weight", result.Ignored);
        Assert.Single(Directory.EnumerateDirectories(folder.Path), d => Path.GetFileName(d) == "model"); // no temporary left
    }

    [Fact, NoTensorLeak]
    public void A_checkpoint_that_does_not_fit_writes_nothing()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var request = Request(folder) with { Check = _ => throw new FlamingoException(FlamingoErrorKind.Model, "does not fit") };
        Assert.Throws<FlamingoException>(() => Conversion.Run(request));
        Assert.False(Directory.Exists(request.Output));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(folder.Path), e => e.EndsWith(".tmp", StringComparison.Ordinal));
    }

    [Fact, NoTensorLeak]
    public void The_missing_half_of_a_conversion_is_named()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var request = Request(folder);
        Assert.EndsWith("the sound encoder (clap.*) is not in it: name the encoder's file too (clapcap_weights_2023.pth for Audio Flamingo 1, clap_ckpt/epoch_16.pt for 2).",
            Assert.Throws<FlamingoException>(() => Conversion.Run(request with { Encoder = null })).Message, StringComparison.Ordinal);
        Assert.Contains("the language model (lang_encoder.*) is not in it",
            Assert.Throws<FlamingoException>(() => Conversion.Run(request with { Checkpoint = [request.Encoder!] })).Message, StringComparison.Ordinal);
        Assert.Contains("no tokenizer there",
            Assert.Throws<FlamingoException>(() => Conversion.Run(request with { TokenizerFolder = folder.Path })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_in_use_is_not_written_over()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("mine"), "");
        var error = Assert.Throws<FlamingoException>(() => ModelFolder.Write(folder.Path, _ => { }));
        Assert.Equal((FlamingoErrorKind.Usage, $"{folder.Path} exists already; choose another name or delete it first."), (error.Kind, error.Message));
    }

    [Fact]
    public void A_failure_while_writing_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        Assert.Throws<InvalidOperationException>(() => ModelFolder.Write(folder.At("m"), into =>
        {
            File.WriteAllText(Path.Combine(into, "config.json"), "{}");
            throw new InvalidOperationException();
        }));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void An_unknown_or_incomplete_folder_is_explained()
    {
        using var folder = new TemporaryFolder();
        string Message(string path) => Assert.Throws<FlamingoException>(() => ModelFolder.Open(path)).Message;
        Assert.Equal($"{folder.At("none")}: there is no such model folder.", Message(folder.At("none")));
        Assert.Contains("is no complete model folder: config.json is missing", Message(folder.Path), StringComparison.Ordinal);
        File.WriteAllText(folder.At("config.json"), "{}");
        Assert.Contains("is a file; expected the folder of a model", Message(folder.At("config.json")), StringComparison.Ordinal);
        Assert.Contains("tokenizer.json (or vocab.json with merges.txt) is missing", Message(folder.Path), StringComparison.Ordinal);
        File.WriteAllText(folder.At("tokenizer.json"), "{}");
        Assert.Contains("no checkpoint in this folder; expected one of model.safetensors.index.json", Message(folder.Path), StringComparison.Ordinal);
    }

    private static ConversionRequest Request(TemporaryFolder folder)
    {
        string foundation = folder.At("foundation"), encoder = folder.At("encoder"), tokenizer = folder.At("tokenizer");
        SafeTensorsWriter.WriteFile(foundation, new MemorySource(
            ("lang_encoder.model.decoder.embed_tokens.weight", rand(4, 3)), ("lang_encoder.model.decoder.layers.0.decoder_layer.fc1.weight", rand(2, 3)),
            ("lang_encoder.old_decoder_blocks.0.fc1.weight", rand(2, 3)), ("lang_encoder.lm_head.weight", rand(4, 3)),
            ("audio_transformer.layer_norm.weight", rand(3)), ("audio_transformer.position_enc.pos_table", rand(1, 2, 3))));
        SafeTensorsWriter.WriteFile(encoder, new MemorySource(
            ("clap.base.htsat.bn0.weight", rand(3)), ("clap.base.htsat.bn0.running_mean", rand(3)), ("clap.base.htsat.logmel_extractor.melW", rand(3)),
            ("gpt.x", rand(1))));
        Directory.CreateDirectory(tokenizer);
        File.WriteAllText(Path.Combine(tokenizer, "vocab.json"), "{}");
        File.WriteAllText(Path.Combine(tokenizer, "merges.txt"), "");
        return new ConversionRequest
        {
            Checkpoint = [foundation],
            Encoder = encoder,
            TokenizerFolder = tokenizer,
            Config = "{\"preset\": 1}",
            Output = folder.At("model"),
        };
    }

    private sealed class Count(Action report) : IProgress<WeightProgress>
    {
        public void Report(WeightProgress value) => report();
    }
}
