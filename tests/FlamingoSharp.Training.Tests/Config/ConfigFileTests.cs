using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Config;

namespace FlamingoSharp.Training.Tests.Config;

/// <summary>Configurations in the form of the reference's YAML files.</summary>
public sealed class ConfigFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-config-").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // The sections and keys of the reference's files for both systems, with comments, flow mappings and Python's spelling of booleans.
    private const string ReferenceForm = """
        train_config:
          expdir: DATA/checkpoint
          run_name: sft_4_shot
          delete_previous_checkpoint: true
          batch_size: 6
          gradient_accumulation_steps: 8  # 384 in all
          seed: 42
          learning_rate: 0.00002
          lr_scheduler: constant
          loss_multiplier: 1.0
          warmup_steps: 1875
          weight_decay: 0.1
          precision: amp_bf16  # ["amp_bf16", "fp32"]
          gradient_checkpointing: False
          num_epochs: 100
          offline: false
          freeze_lm_embeddings: true
          logging_steps: 10
          dist_backend: nccl
          dist_url: env:// # tcp://localhost:7000
          no_set_device_rank: false
          fsdp: true
          fsdp_use_orig_params: false
          fsdp_sharding_strategy: full
          horovod: false

        sft_config:
          pretrained_path: DATA/pretrain/
          pretrained_ckpt: checkpoint_99.pt
          unfreeze_full_lm: true

        data_config:
          dataset_blending_global_weight: 0.01
          dataset_blending_config:
            MSP-PODCAST-Publish-1.9-EmotionClassification/train:
              weight: 1.2
              prefix_prob: 0.5
              augmentations:
                provide_all_labels: 0.9
                do_nothing: 0.1
            Clotho-AQA-AQA/interleaved_knn-train:
              weight: 0.5
              prefix_prob: 1.0
              augmentations:
                AQA_binary_instruction: 1.0
            OpenAQA-AQA/train:
              weight: 2
          dataset_file_root: DATA/manifests
          data_root: DATA/sounds
          dataset_blending_output: dataset_blending.json
          max_tokens: 256
          num_workers: 4
          valid_dataset_config:
            Clotho-AQA-AQA/val: true
            LP-MusicCaps-MTT-AudioCaptioning/val: false
            NSynth-MIR/val:
              prefix_prob: 0.25
              augmentations:
                do_nothing: 1.0

        clap_config:
          # method: laion-clap
          method: microsoft-clap
          audio_embed_dim: 32
          config_root: CODE/configs
          model_name: 'clapcap'
          checkpoint: DATA/clapcap.pth
          window_length: 1.0  # seconds
          window_overlap: 0.5
          max_num_window: 4
          max_num_fewshot: 2
          finetune: true

        model_config:
          cache_dir: ~/.cache
          lang_encoder_path: facebook/opt-iml-max-1.3b
          tokenizer_path: facebook/opt-iml-max-1.3b
          cross_attn_every_n_layers: 1
          audio_transformer_kwargs: {
            n_head: 2,
            n_layers: 1,
            d_inner: 64,
            max_num_media: 128,  # must >= max_num_window * num_fewshot_samples
            max_window_per_audio: 16,
            common_encoder_embed_dim: 1024
          }
        """;

    [Fact]
    public void A_file_of_the_references_form_loads_and_every_value_arrives()
    {
        using var model = new TinyModel();
        var file = Read(ReferenceForm);
        var config = new StageConfig(file, "sft");
        var data = new StageData(config.Entries, config.Validation, "sounds", _ => default);
        var task = config.Task(model.Folder, data, "cpu");

        Assert.Equal(["MSP-PODCAST-Publish-1.9-EmotionClassification/train", "Clotho-AQA-AQA/interleaved_knn-train", "OpenAQA-AQA/train"], task.Entries.Select(e => e.Name));
        Assert.Equal([1.2, 0.5, 2], task.Entries.Select(e => e.Weight));
        Assert.Equal([("provide_all_labels", 0.9), ("do_nothing", 0.1)], task.Entries[0].Augmentation.Wordings.Select(w => (w.Key, w.Value)));
        Assert.Equal((0.5, 0.01, 6, 256), (task.Entries[0].Augmentation.PrefixProbability, task.GlobalWeight, task.BatchSize, task.MaxTokens));
        Assert.Equal([("Clotho-AQA-AQA/val", null), ("NSynth-MIR/val", 0.25)], task.Validation.Select(v => (v.Name, v.Wording?.PrefixProbability)));
        Assert.Equal((true, EmbeddingTraining.Frozen, TorchSharp.torch.ScalarType.BFloat16), (task.FullLanguageModel, task.Embeddings, task.ComputeType));
        Assert.NotNull(task.Encoder);
        Assert.Equal((4, 2), (task.MaxWindows, task.Slots));

        var run = config.Run("out", epochBatches: 80);
        Assert.Equal((2e-5, 1875, 8, 0.1), (run.Optimization.LearningRate, run.Optimization.WarmupSteps, run.Optimization.Accumulation, run.Optimization.CrossAttentionWeightDecay));
        Assert.Equal((100.0, 10), (run.Epochs, run.ValidateEvery));
        Assert.Equal(Path.Combine("DATA/pretrain/", "checkpoint_99.pt"), config.ModelFolder);
    }

    [Fact]
    public void Keys_without_effect_are_told_with_the_reason()
    {
        var notes = Read(ReferenceForm).WithoutEffect();
        Assert.Contains("train_config.offline has no effect here: training never asks a hub.", notes);
        Assert.Contains("train_config.dist_backend, train_config.dist_url, train_config.no_set_device_rank, train_config.horovod have no effect here: mpirun decides which processes train together.", notes);
        Assert.Empty(ConfigFile.Read(null).WithoutEffect());
    }

    [Theory]
    [InlineData("train_config:\n  batch_size: 4\n  learning_rat: 1\n", "line 3: there is no key 'train_config.learning_rat'; the nearest is 'train_config.learning_rate'.")]
    [InlineData("train_confg:\n  batch_size: 4\n", "line 1: there is no key 'train_confg'; the nearest is 'train_config'.")]
    [InlineData("data_config:\n  dataset_blending_config:\n    A-AQA/train:\n      wieght: 1\n", "line 4: there is no key 'data_config.dataset_blending_config.A-AQA/train.wieght'; the nearest is 'data_config.dataset_blending_config.A-AQA/train.weight'.")]
    [InlineData("batch_size: 4\n", "line 1: there is no key 'batch_size'; the nearest is 'train_config.batch_size'.")]
    [InlineData("train_config:\n  batch_size: many\n", "line 2: train_config.batch_size is 'many'; expected a whole number.")]
    [InlineData("train_config:\n  batch_size: 0\n", "line 2: train_config.batch_size is 0; it must be at least 1.")]
    [InlineData("train_config:\n  lr_scheduler: cosin\n", "line 2: train_config.lr_scheduler is 'cosin'; expected constant or linear or cosine.")]
    [InlineData("train_config:\n  seed:\n    a: 1\n", "line 2: train_config.seed takes a whole number, but has further keys below it.")]
    public void A_wrong_file_is_refused_with_the_line(string yaml, string expected)
    {
        var error = Assert.Throws<FlamingoException>(() => Read(yaml));
        Assert.Equal((FlamingoErrorKind.Usage, $"'{Path.Combine(_folder, "c.yaml")}', {expected}"), (error.Kind, error.Message));
    }

    [Fact]
    public void Broken_YAML_and_a_missing_file_are_told_as_such()
    {
        Assert.Matches(@"line \d+: this is no YAML: .+\.$", Assert.Throws<FlamingoException>(() => Read("a: 1\na: 2\n")).Message);
        Assert.Equal($"'{Path.Combine(_folder, "c.yaml")}' is no YAML: a bracket, brace or quote is not closed where it should be.", Assert.Throws<FlamingoException>(() => Read("a: [1\nb: }")).Message);
        Assert.Equal("There is no configuration 'nowhere.yaml'; check the path.", Assert.Throws<FlamingoException>(() => ConfigFile.Read("nowhere.yaml")).Message);
    }

    [Fact]
    public void Changes_of_the_command_line_win_and_are_checked_alike()
    {
        var file = Read("train_config:\n  num_epochs: 5\n", "train_config.num_epochs=3", "data_config.dataset_blending_config.A-1.9-AQA/train.weight=2");
        Assert.Equal(3, file.Whole("train_config.num_epochs"));
        Assert.Equal(2, new StageConfig(file, "sft").Entries.Single(e => e.Name == "A-1.9-AQA/train").Weight);

        Assert.Equal("The configuration on the command line: there is no key 'train_config.num_epoch'; the nearest is 'train_config.num_epochs'.",
            Assert.Throws<FlamingoException>(() => Read("", "train_config.num_epoch=3")).Message);
        Assert.Equal("'num_epochs' is no change of the configuration; write it as section.key=value, e.g. train_config.num_epochs=3.",
            Assert.Throws<FlamingoException>(() => Read("", "num_epochs")).Message);
    }

    [Fact]
    public void What_holds_in_the_end_reads_back_as_the_same()
    {
        var file = Read(ReferenceForm, "train_config.patience=4", "lora_config.targets=q_proj,fc1");
        string resolved = file.ToYaml();
        Assert.Contains("  patience: 4\n", resolved, StringComparison.Ordinal);
        Assert.Contains("  clip_norm: 1\n", resolved, StringComparison.Ordinal); // a default
        Assert.DoesNotContain("dist_backend", resolved, StringComparison.Ordinal);
        Assert.Equal(resolved, Read(resolved).ToYaml());
    }

    [Fact]
    public void A_configuration_of_another_model_is_refused()
    {
        using var model = new TinyModel();
        var config = new StageConfig(Read("model_config:\n  audio_transformer_kwargs: {\n    n_head: 8 }\n"), "sft");
        var error = Assert.Throws<FlamingoException>(() => config.Task(model.Folder, new StageData([], [], "", _ => default), "cpu"));
        Assert.Equal($"'{Path.Combine(_folder, "c.yaml")}', line 3: model_config.audio_transformer_kwargs.n_head is 8, but the model '{model.Folder}' has 2: the configuration is that of another model.", error.Message);
    }

    private ConfigFile Read(string yaml, params string[] changes)
    {
        string path = Path.Combine(_folder, "c.yaml");
        File.WriteAllText(path, yaml);
        return ConfigFile.Read(path, changes, StageConfig.DefaultsOf("sft"));
    }
}
