using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Stages;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Stages;

/// <summary>A plain language model and a bare encoder become a model that hears.</summary>
public sealed class BarePartsTests(StageSet set) : IClassFixture<StageSet>
{
    [Theory]
    [InlineData(1, 4110)] // more rows than the tokenizer has tokens: cut, as the reference does
    [InlineData(1, 4100)] // fewer: those of the sounds' tokens are new
    [InlineData(2, 4110)]
    public void They_start_as_the_language_model_and_learn_to_hear(int system, int rows)
    {
        var config = system == 1 ? TinyModel.Config : TinyModel.Config2;
        using var parts = new TinyParts(config, rows);
        using var task = new LanguageTask(Options(system, parts, config));
        task.SetTraining(false);
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            // The gates are 0: the text does not hear yet, whatever sounds.
            using var batch = (LanguageBatch)task.Prepare(0);
            using var other = batch with { Rows = randn_like(batch.Rows) };
            Assert.Equal(task.Loss(batch).item<float>(), task.Loss(other).item<float>());
        }
        using (var plain = Checkpoint.OpenCanonical(parts.LanguageModel))
        using (var whole = task.Weights())
        {
            string words = plain.Weights.Keys.Single(n => n.EndsWith("embed_tokens.weight", StringComparison.Ordinal));
            var embedding = whole.Read(words);
            Assert.Equal(4103, embedding.shape[0]);
            int kept = Math.Min(rows, 4103);
            TensorAssert.Close(plain.Read(words).narrow(0, 0, kept), embedding.narrow(0, 0, kept), 0, "the language model's rows");
            Assert.All(embedding.abs().sum(1).data<float>(), v => Assert.True(v > 0));
            Assert.All(whole.Weights.Keys.Where(n => n.EndsWith("_gate", StringComparison.Ordinal)), n => Assert.Equal(0, whole.Read(n).item<float>()));
            using var encoder = Checkpoint.Open(parts.Encoder);
            string some = encoder.Weights.Keys.First(n => n.EndsWith("qkv.weight", StringComparison.Ordinal));
            TensorAssert.Close(encoder.Read(some), whole.Read(some), 0, some);
            Assert.Equal(config.DescribeWeights().Select(w => w.Name).Order(StringComparer.Ordinal), whole.Weights.Keys.Order(StringComparer.Ordinal));
        }

        double before = task.Validate(e => throw e, TestContext.Current.CancellationToken)!.Loss;
        string folder = set.NewFolder();
        var outcome = new TrainingLoop(task, new TrainingRunOptions
        {
            Folder = folder,
            Optimization = new() { LearningRate = 3e-3, WarmupSteps = 2, TotalSteps = 12 },
            ValidateEvery = 0,
        })
        {
            Keep = weights => StageFolder.Write(folder, task.Stage.Config, task.Stage.Tokenizer, weights, task.Stage.StoredType),
        }.Run(TestContext.Current.CancellationToken);
        Assert.True(outcome.BestLoss < before, $"The loss went from {before} to {outcome.BestLoss}.");
        using var trained = ModelFolder.Open(folder).OpenWeights();
        Assert.All(trained.Weights.Keys.Where(n => n.EndsWith("attn_gate", StringComparison.Ordinal)), n => Assert.NotEqual(0, trained.Read(n).item<float>()));
        using var flamingo = Flamingo.Load(folder);
        using var sound = flamingo.Hear(task.Plan.Batch(0)[0].Sounds[0].Path);
        Assert.NotNull(flamingo.Caption(sound).Text);
    }

    [Fact]
    public void The_same_seed_gives_the_same_first_values()
    {
        using var parts = new TinyParts(TinyModel.Config, 4103);
        using var once = new LanguageTask(Options(1, parts, TinyModel.Config));
        using var again = new LanguageTask(Options(1, parts, TinyModel.Config));
        using var other = new LanguageTask(Options(1, parts, TinyModel.Config, seed: 7));
        using var scope = NewDisposeScope();
        Tensor Value(LanguageTask task) => task.Stage.Model.named_parameters().First(p => p.name.EndsWith("attn.to_q.weight", StringComparison.Ordinal)).parameter;
        Assert.True(Value(once).equal(Value(again)).all().item<bool>());
        Assert.False(Value(once).equal(Value(other)).all().item<bool>());
    }

    [Fact]
    public void An_encoder_with_a_form_of_its_own_decides_what_is_heard()
    {
        using var parts = new TinyParts(TinyModel.Config, 4103);
        using var clap = new TinyClap();
        var start = StartingModel.Of(new BareParts { LanguageModel = parts.LanguageModel, Encoder = clap.Folder });
        Assert.Equal("af1-tiny-opt", start.Config.Name);
        Assert.Equal((16000, 1.0, 0.0, 32), (start.Config.Windows.SampleRate, start.Config.Windows.LengthSeconds, start.Config.Windows.OverlapSeconds, start.Config.AudioTransformer.Width));
        Assert.Equal((4103, 32, 2), (start.Config.Language.VocabularySize, start.Config.Language.HiddenSize, start.Config.Language.Layers));
        using var weights = start.OpenWeights();
        Assert.Contains("lang_encoder.model.decoder.layers.0.gated_cross_attn_layer.attn_gate", weights.Weights.Keys);
    }

    [Fact]
    public void Parts_that_do_not_belong_together_are_refused_in_a_sentence()
    {
        using var parts = new TinyParts(TinyModel.Config, 4103);
        using var foreign = new TinyParts(TinyModel.Config, 50272);
        string Error(BareParts bare) => Assert.Throws<FlamingoException>(() =>
        {
            using var weights = StartingModel.Of(bare).OpenWeights();
        }).Message;
        BareParts bare = new() { LanguageModel = parts.LanguageModel, Encoder = parts.Encoder, Form = TinyModel.Config };

        Assert.Equal($"The language model in '{foreign.LanguageModel}' has 50272 rows but the tokenizer in '{foreign.LanguageModel}' 4103 tokens. The two do not belong together: name the tokenizer that the language model was trained with.",
            Error(bare with { LanguageModel = foreign.LanguageModel }));
        Assert.Equal($"'{parts.LanguageModel}' is an OPT of width 32 with 2 layers and 2 heads, but 'af2-3b' is built on a Qwen2 of width 2048 with 36 layers and 16 heads: name the preset of that language model, or none.",
            Error(bare with { Form = FlamingoConfig.Af2 }));
        Assert.Equal($"The encoder in '{parts.Encoder}' is not that of 'tiny-test': clap.base.htsat.norm.weight is [32], but must be [48]. Name the file or folder of such a one, or the preset that fits it.",
            Error(bare with { Form = TinyModel.Config with { Encoder = TinyModel.Config.Encoder with { EmbedDim = 24 } } }));
        Assert.Equal($"The encoder in '{parts.LanguageModel}' is not that of 'tiny-test': clap.base.htsat.bn0.weight is missing, but must be [16]. Name the file or folder of such a one, or the preset that fits it.",
            Error(bare with { Encoder = Path.Combine(parts.LanguageModel, "model.safetensors") }).Replace("/model.safetensors'", "'", StringComparison.Ordinal));
        using var clap = new TinyClap(TinyClap.Config with { Audio = TinyClap.Config.Audio with { WindowSeconds = 0.5 } });
        Assert.Equal($"The encoder in '{clap.Folder}' is of another form than that of 'tiny-test', or hears other windows: name the preset or configuration of that encoder, or none.",
            Error(bare with { Encoder = clap.Folder }));

        string config = Path.Combine(parts.LanguageModel, "config.json"), text = File.ReadAllText(config);
        File.WriteAllText(config, text.Replace("\"opt\"", "\"llama\"", StringComparison.Ordinal));
        Assert.Equal($"'{parts.LanguageModel}' is a language model of type 'llama', but Audio Flamingo is built on opt or qwen2. Name the folder of such a model.", Error(bare));
        File.WriteAllText(config, text.Replace("\"ffn_dim\":64", "\"ffn_dim\":96", StringComparison.Ordinal));
        Assert.Equal($"The language model in '{parts.LanguageModel}' is not what its config.json says: lang_encoder.model.decoder.layers.0.decoder_layer.fc1.weight is [64, 32], but must be [96, 32]. Name the file or folder of such a one, or the preset that fits it.",
            Error(bare with { Form = null }));
        File.Delete(config);
        Assert.Contains("it has no config.json", Error(bare), StringComparison.Ordinal);
        Assert.Equal("There is no 'nowhere/at-all' to start from, and no pulled model of that name: check the path, or download it with 'flamingo pull'.",
            Assert.Throws<FlamingoException>(() => BareParts.Locate("nowhere/at-all")).Message);
    }

    private LanguageTaskOptions Options(int system, TinyParts parts, FlamingoConfig form, long seed = 42) => set.Options(system) with
    {
        Stage = "pretrain",
        ModelFolder = "",
        Parts = new BareParts { LanguageModel = parts.LanguageModel, Encoder = parts.Encoder, Form = form, Seed = seed },
        FullLanguageModel = false,
        Embeddings = EmbeddingTraining.SoundTokens,
    };
}
