using FlamingoSharp.Encoders;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Stages;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Tests.Stages;

/// <summary>Ways of computing that change time and memory, not the result: recomputation, bf16, adapters.</summary>
public sealed class ComputingTests(StageSet set) : IClassFixture<StageSet>
{
    [Theory, NoTensorLeak]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public void Layers_that_run_twice_give_the_same_gradients(int system, bool full)
    {
        // Where the language model is frozen, the input of its first layer has no gradient.
        var options = set.Options(system) with { FullLanguageModel = full, Embeddings = full ? EmbeddingTraining.SoundTokens : EmbeddingTraining.Frozen };
        var (plainLoss, plain) = Gradients(options);
        var (loss, recomputed) = Gradients(options with { Recompute = true });
        Assert.Equal(plainLoss, loss, 1e-6);
        Assert.Equal(plain.Keys, recomputed.Keys);
        foreach (var (name, values) in plain)
            TensorAssert.Close([.. values.Select(v => (double)v)], [.. recomputed[name].Select(v => (double)v)], 1e-6, name);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Products_in_bf16_come_close_and_leave_weights_and_gradients_in_float32(int system)
    {
        var (exactLoss, exact) = Gradients(set.Options(system));
        var (loss, gradients) = Gradients(set.Options(system) with { ComputeType = ScalarType.BFloat16 });
        Assert.NotEqual(exactLoss, loss);
        Assert.Equal(exactLoss, loss, 0.02 * exactLoss);
        double same = 0, own = 0, other = 0;
        foreach (var (name, values) in exact)
        {
            same += values.Zip(gradients[name], (a, b) => (double)a * b).Sum();
            own += values.Sum(a => (double)a * a);
            other += gradients[name].Sum(b => (double)b * b);
        }
        Assert.InRange(same / Math.Sqrt(own * other), 0.99, 1); // cosine of the two gradients
    }

    [Fact]
    public void Adapters_change_nothing_at_first_and_are_merged_into_the_model_that_is_written()
    {
        var options = set.Options() with { Lora = new LoraOptions { Rank = 3, Alpha = 6, Targets = ["q_proj", "fc1"] } };
        using var plain = new LanguageTask(set.Options());
        using var task = new LanguageTask(options);
        plain.SetTraining(false);
        task.SetTraining(false);
        using var scope = NewDisposeScope();
        using var batch = task.Prepare(0);
        Assert.Equal(plain.Loss(batch).item<float>(), task.Loss(batch).item<float>(), 1e-6);
        Assert.Equal(4, task.Adapters!.Parameters.Count(p => p.Name.EndsWith("lora_A.weight", StringComparison.Ordinal)));
        Assert.DoesNotContain(task.Groups.SelectMany(g => g.Parameters), p => p.Name.EndsWith("fc1.weight", StringComparison.Ordinal));

        string folder = set.NewFolder();
        new TrainingLoop(task, new TrainingRunOptions
        {
            Folder = folder,
            Optimization = new() { LearningRate = 1e-2, WarmupSteps = 0, TotalSteps = 4 },
            ValidateEvery = 0,
        })
        { Keep = weights => StageFolder.Write(folder, task.Stage.Config, task.Stage.Tokenizer, weights, ScalarType.Float32) }.Run(TestContext.Current.CancellationToken);
        task.Adapters.Save(Path.Combine(folder, LoraAdapters.FileName));
        task.SetTraining(false);
        float adapted = task.Loss(batch).item<float>();
        Assert.NotEqual(plain.Loss(batch).item<float>(), adapted);

        using var merged = new LanguageTask(set.Options() with { ModelFolder = folder });
        merged.SetTraining(false);
        Assert.Equal(adapted, merged.Loss(batch).item<float>(), 1e-5);

        // The adapters alone do the same to the model that they were trained on, but for what was trained beside them.
        using var again = new LanguageTask(options);
        again.Adapters!.Load(Path.Combine(folder, LoraAdapters.FileName));
        foreach (var ((_, a), (_, b)) in again.Adapters.Parameters.Zip(task.Adapters.Parameters))
            Assert.True(a.equal(b).all().item<bool>());

        var error = Assert.Throws<FlamingoException>(() => new LanguageTask(options with { Lora = new LoraOptions { Rank = 2, Targets = ["qproj"] } }));
        Assert.Equal("lora_config.targets is 'qproj', but the language model has no such matrices; it has to_q, to_kv, to_out, 1, 3, fc1, fc2, k_proj, v_proj, q_proj, out_proj.", error.Message);
    }

    [Fact]
    public void Stripes_are_blanked_in_training_alone()
    {
        var augment = new SpecAugment { TimeStripes = 1, TimeWidth = 8, FrequencyStripes = 1, FrequencyWidth = 4 };
        using var scope = NewDisposeScope();
        manual_seed(3);
        var blanked = augment.Apply(ones(20, 32, 16));
        float[][] sounds = [.. blanked.data<float>().ToArray().Chunk(32 * 16)];
        foreach (float[] sound in sounds)
        {
            float[][] rows = [.. sound.Chunk(16)];
            int frames = rows.Count(r => r.All(v => v == 0)), bands = Enumerable.Range(0, 16).Count(m => rows.All(r => r[m] == 0));
            Assert.InRange(frames, 0, 7);
            Assert.InRange(bands, 0, 3);
            Assert.Equal((32 - frames) * (16 - bands), sound.Sum());
        }
        Assert.True(sounds.Sum(s => s.Sum()) < 20 * 32 * 16);

        using var task = new LanguageTask(set.Options(2) with { Encoder = new EncoderTuning { Augment = new SpecAugment { TimeWidth = 1000 } } });
        using var batch = task.Prepare(0);
        task.SetTraining(false);
        Assert.Equal(task.Loss(batch).item<float>(), task.Loss(batch).item<float>());
        task.SetTraining(true);
        Assert.NotEqual(task.Loss(batch).item<float>(), task.Loss(batch).item<float>());
    }

    private static (double Loss, SortedDictionary<string, float[]> Gradients) Gradients(LanguageTaskOptions options)
    {
        using var scope = NewDisposeScope();
        using var task = new LanguageTask(options);
        task.SetTraining(true);
        // Dropout draws differently where layers are seeded one by one.
        foreach (var module in task.Stage.Model.modules())
            module.eval();
        using var batch = task.Prepare(0);
        using var loss = task.Loss(batch);
        loss.backward();
        task.MaskGradients();
        var gradients = new SortedDictionary<string, float[]>(StringComparer.Ordinal);
        foreach (var (name, parameter) in task.Groups.SelectMany(g => g.Parameters))
        {
            Assert.Equal(ScalarType.Float32, parameter.grad!.dtype);
            gradients[name] = parameter.grad.cpu().contiguous().data<float>().ToArray();
        }
        return (loss.item<float>(), gradients);
    }
}
