using System.Text.Json;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Stages;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Stages;

/// <summary>The stages in which a language model learns to hear, on tiny models.</summary>
public sealed class LanguageTaskTests(StageSet set) : IClassFixture<StageSet>
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_sample_comes_once_in_its_epoch_whatever_the_order_of_asking(int system)
    {
        using var task = new LanguageTask(set.Options(system));
        using var other = new LanguageTask(set.Options(system));
        int samples = set.Set.Of("train").Sum(m => m.Count), batches = (int)task.EpochMicroBatches!.Value;
        Assert.Equal((samples + 3) / 4, batches);
        for (int epoch = 0; epoch < 2; epoch++)
        {
            long first = (long)epoch * batches;
            var sounds = Enumerable.Range(0, batches).SelectMany(b => task.Plan.Batch(first + b)).Select(s => s.Sounds.Single().Path).ToList();
            Assert.Equal(samples, sounds.Distinct().Count());
            Assert.Equal(samples, sounds.Count);
            for (long b = batches - 1; b >= 0; b--)
            {
                using var forwards = (LanguageBatch)task.Prepare(first + b);
                using var backwards = (LanguageBatch)other.Prepare(first + b);
                Assert.True(forwards.Ids.equal(backwards.Ids).all().item<bool>() && forwards.Rows.equal(backwards.Rows).all().item<bool>());
            }
        }
        Assert.NotEqual(task.Plan.Batch(0)[0].Sounds[0].Path, task.Plan.Batch(batches)[0].Sounds[0].Path); // the next epoch has another order
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_batch_hears_what_the_library_hears(int system)
    {
        using var task = new LanguageTask(set.Options(system) with { AsAsked = true });
        task.SetTraining(false);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var samples = task.Plan.Batch(0);
        using var all = task.Lay(samples, task.Stage.Config.Windows.MaxWindows);
        double together = task.Loss(all).item<float>();

        using var flamingo = Flamingo.Load(system == 1 ? set.Model1 : set.Model2);
        double sum = 0, tokens = 0;
        foreach (var sample in samples)
        {
            using var sound = flamingo.Hear(sample.Sounds[0].Path);
            using var one = task.Lay([sample], task.Stage.Config.Windows.MaxWindows);
            // The windows with sound are those that the library hears.
            Assert.Equal(sound.Windows, one.Valid.sum().item<long>());
            int scored = one.Labels.data<long>().Skip(1).Count(l => l >= 0);
            sum += task.Loss(one).item<float>() * scored;
            tokens += scored;
            var encoded = one.Rows.index_select(0, one.Source.narrow(0, 0, sound.Windows));
            TensorAssert.Close(sound.Encodings, encoded, 1e-5, "encodings");
        }
        Assert.Equal(sum / tokens, together, 1e-4);
    }

    [Fact]
    public void What_is_kept_of_sounds_changes_nothing()
    {
        string folder = set.NewFolder();
        using var plain = new LanguageTask(set.Options() with { Views = 3 });
        using var first = new LanguageTask(set.Options() with { Views = 3, CacheFolder = folder });
        using var second = new LanguageTask(set.Options() with { Views = 3, CacheFolder = folder });
        using var scope = NewDisposeScope();
        for (int i = 0; i < 2; i++)
        {
            var rows = new[] { plain, first, second }.Select(t => ((LanguageBatch)t.Prepare(i)).Rows).ToList();
            Assert.True(rows[0].equal(rows[1]).all().item<bool>() && rows[0].equal(rows[2]).all().item<bool>());
        }
        Assert.NotEmpty(Directory.GetFiles(folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public void Each_stage_trains_its_parts_and_of_the_embedding_the_tokens_of_sounds()
    {
        using var pretrain = new LanguageTask(set.Options() with { FullLanguageModel = false, Embeddings = EmbeddingTraining.Frozen });
        Assert.All(Learned(pretrain), n => Assert.True(n.Contains("gated_cross_attn", StringComparison.Ordinal) || n.StartsWith("audio_transformer", StringComparison.Ordinal), n));

        using var sft = new LanguageTask(set.Options());
        Assert.Contains("lang_encoder.model.decoder.layers.0.decoder_layer.fc1.weight", Learned(sft));
        Assert.DoesNotContain(Learned(sft), n => n.StartsWith("clap.", StringComparison.Ordinal));
        sft.SetTraining(true);
        using var scope = NewDisposeScope();
        using var batch = sft.Prepare(0);
        sft.Loss(batch).backward();
        sft.MaskGradients();
        var rows = sft.Stage.Model.named_parameters().Single(p => p.name.EndsWith("embed_tokens.weight", StringComparison.Ordinal)).parameter.grad!.abs().sum(1);
        long[] learned = [.. rows.data<float>().Select((v, i) => (v, (long)i)).Where(r => r.v > 0).Select(r => r.Item2)];
        var special = sft.Stage.Tokenizer.Special;
        Assert.Equal([special.Audio.Id, special.EndOfChunk.Id], learned.Order());

        using var encoder = new LanguageTask(set.Options(2) with { FullLanguageModel = false, Encoder = new EncoderTuning { LearningRateScale = 0.1 } });
        var group = encoder.Groups.Single(g => g.Name == "encoder");
        Assert.Equal(("encoder", 0.1), (group.ClipSet, group.LearningRateScale));
        Assert.All(group.Parameters, p => Assert.StartsWith("clap.", p.Name, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void A_few_steps_lower_the_loss_and_leave_a_model_that_loads(int system, bool encoder)
    {
        string folder = set.NewFolder();
        using var task = new LanguageTask(set.Options(system) with { Encoder = encoder ? new EncoderTuning() : null, Embeddings = EmbeddingTraining.All });
        task.SetTraining(false);
        double before = task.Validate(e => throw e, TestContext.Current.CancellationToken)!.Loss;
        var run = new TrainingRunOptions
        {
            Folder = folder,
            Optimization = new() { LearningRate = 3e-3, WarmupSteps = 2, TotalSteps = 12 },
            ValidateEvery = 0,
        };
        var outcome = new TrainingLoop(task, run)
        {
            Keep = weights => StageFolder.Write(folder, task.Stage.Config, task.Stage.Tokenizer, weights, task.Stage.StoredType),
        }.Run(TestContext.Current.CancellationToken);
        Assert.True(outcome.BestLoss < 0.8 * before, $"The loss went from {before} to {outcome.BestLoss}.");

        using var original = ModelFolder.Open(task.Stage.Folder).OpenWeights();
        using var trained = ModelFolder.Open(folder).OpenWeights();
        Assert.Equal(original.Weights.Keys.Order(StringComparer.Ordinal), trained.Weights.Keys.Order(StringComparer.Ordinal));
        string frozen = original.Weights.Keys.First(n => n.StartsWith("clap.", StringComparison.Ordinal) && n.EndsWith("qkv.weight", StringComparison.Ordinal));
        using var scope = NewDisposeScope();
        Assert.Equal(!encoder, original.Read(frozen).equal(trained.Read(frozen)).all().item<bool>());
        using var flamingo = Flamingo.Load(folder);
        using var sound = flamingo.Hear(task.Plan.Batch(0)[0].Sounds[0].Path);
        Assert.NotNull(flamingo.Caption(sound).Text);
    }

    [Fact]
    public void A_curriculum_hears_more_windows_from_epoch_to_epoch()
    {
        using var task = new LanguageTask(set.Options(2) with { Curriculum = [(0, 1), (1, 3)] });
        using var first = (LanguageBatch)task.Prepare(0);
        using var later = (LanguageBatch)task.Prepare(task.EpochMicroBatches!.Value);
        Assert.Equal(1, first.Valid.shape[1]);
        Assert.InRange(later.Valid.shape[1], 1, 3);
        Assert.Equal(3, task.Stage.Config.Windows.MaxWindows);

        var error = Assert.Throws<FlamingoException>(() => new LanguageTask(set.Options() with { Curriculum = [(0, 1)] }));
        Assert.Equal("clap_config.window_curriculum needs a model that takes as many windows as a sound has, as Audio Flamingo 2 does; this one fills every sound up.", error.Message);
    }

    [Fact]
    public void Validation_goes_on_without_sounds_that_cannot_be_read()
    {
        using var own = new StageSet();
        using var task = new LanguageTask(own.Options() with { BatchSize = 1 });
        task.SetTraining(false);
        var whole = task.Validate(e => throw e, TestContext.Current.CancellationToken)!;
        string[] held = [.. own.Set.Of("val").SelectMany(m => own.Set.Read(m).Items).Select(i => own.Set.SoundPath(i.Value.Examples[0].Name))];
        File.WriteAllText(held[0], "no sound");
        var told = new List<string>();
        var part = task.Validate(e => told.Add(e.Message), TestContext.Current.CancellationToken)!;
        Assert.Contains(held[0], Assert.Single(told), StringComparison.Ordinal);
        Assert.NotEqual(whole.Loss, part.Loss);
        Assert.Equal(whole.Loss, part.Loss, 0.5 * whole.Loss); // a mean over those that are left

        foreach (string path in held)
            File.Delete(path);
        var nothing = Assert.Throws<FlamingoException>(() => task.Validate(_ => { }, TestContext.Current.CancellationToken));
        Assert.Matches("^Not one batch of the validation set 'sounds-.*/val' can be read. Restore its sounds, or leave it out of valid_dataset_config.$", nothing.Message);
    }

    [Fact]
    public void What_cannot_be_trained_fails_before_the_first_step_with_one_sentence()
    {
        var missing = Assert.Throws<FlamingoException>(() => new LanguageTask(set.Options() with
        {
            Manifests = name => JsonDocument.Parse(set.Set.Source(name).GetRawText().Replace(".wav\"", ".gone\"", StringComparison.Ordinal)).RootElement,
        }));
        Assert.Equal(FlamingoErrorKind.Input, missing.Kind);
        Assert.Matches("^'sounds-.*' refers to the sound '/.*\\.gone', which does not exist\\. Check data_config\\.data_root; 'flamingo data validate' lists every such file\\.$", missing.Message);

        using var model = new TinyModel(TinyModel.Config with { Language = new OptOptions { VocabularySize = 50268, HiddenSize = 32, Layers = 1, Heads = 2, FeedForward = 64, MaxPositions = 64 } });
        var vocabulary = Assert.Throws<FlamingoException>(() => new LanguageTask(set.Options() with { ModelFolder = model.Folder }));
        Assert.Equal($"'{model.Folder}': the tokenizer has 4103 tokens but the language model 50268 rows. The two do not belong together: put the tokenizer that the model was made with into the folder.", vocabulary.Message);

        using var wider = new TinyModel();
        string config = Path.Combine(wider.Folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"hidden_size\": 32", "\"hidden_size\": 64", StringComparison.Ordinal));
        var width = Assert.Throws<FlamingoException>(() => new LanguageTask(set.Options() with { ModelFolder = wider.Folder }));
        Assert.Equal(FlamingoErrorKind.Model, width.Kind);
        Assert.Contains("embed_tokens.weight", width.Message, StringComparison.Ordinal);
    }

    private static List<string> Learned(LanguageTask task) => [.. task.Groups.SelectMany(g => g.Parameters).Select(p => p.Name)];
}
