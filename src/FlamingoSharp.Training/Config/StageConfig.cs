using System.Globalization;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.Stages;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Config;

/// <summary>What a configuration means: the options of a stage and of its run.</summary>
internal sealed class StageConfig(ConfigFile file, string stage)
{
    private const string Off = "none";

    /// <summary>What holds in a stage where nothing is said. Source: the released configurations of Audio Flamingo 1.</summary>
    public static IReadOnlyDictionary<string, string> DefaultsOf(string stage) => stage switch
    {
        "pretrain" => new Dictionary<string, string>
        {
            ["train_config.learning_rate"] = "0.0001",
            ["train_config.freeze_lm_embeddings"] = "true",
            ["sft_config.unfreeze_full_lm"] = "false",
        },
        // A few dozen sounds of each class: each is heard in several variations, and the best epoch counts.
        "finetune" => new Dictionary<string, string>
        {
            ["train_config.learning_rate"] = "0.001",
            ["train_config.lr_scheduler"] = "cosine",
            ["train_config.warmup_steps"] = "10",
            ["train_config.batch_size"] = "8",
            ["train_config.num_epochs"] = "25",
            ["train_config.patience"] = "10",
            ["data_config.prompt_format"] = "model",
            ["data_config.valid_limit"] = "1000",
            ["data_config.views"] = "8",
        },
        _ => new Dictionary<string, string>(),
    };

    /// <summary>The model folder that the configuration names; null for none.</summary>
    public string? ModelFolder
    {
        get
        {
            if (file.Text("model_config.path") is { Length: > 0 } path)
                return path;
            string pretrained = Path.Combine(file.Text("sft_config.pretrained_path"), file.Text("sft_config.pretrained_ckpt"));
            return pretrained.Length > 0 ? pretrained : null;
        }
    }

    /// <summary>The bare language model and encoder that the configuration names; null for none.</summary>
    /// <exception cref="FlamingoException">It names one without the other, or one that is not there.</exception>
    public BareParts? Parts
    {
        get
        {
            const string Language = "model_config.lang_encoder_path", Encoder = "clap_config.checkpoint", Spelling = "model_config.tokenizer_path";
            string language = file.Text(Language), encoder = file.Text(Encoder);
            if (language.Length == 0 && encoder.Length == 0)
                return null;
            if (language.Length == 0 || encoder.Length == 0)
            {
                throw file.Wrong(language.Length == 0 ? Language : Encoder,
                    "is missing: a new model is made of a language model and a sound encoder (--language-model and --encoder). To start from a whole model, give --model.");
            }
            return new BareParts
            {
                LanguageModel = BareParts.Locate(language),
                Encoder = BareParts.Locate(encoder),
                Tokenizer = file.Text(Spelling) is { Length: > 0 } tokenizer && tokenizer != language ? BareParts.Locate(tokenizer) : null,
                Form = file.Text("model_config.preset") is { Length: > 0 } preset ? FlamingoConfig.Preset(preset) : null,
                Seed = file.Whole("train_config.seed")!.Value,
            };
        }
    }

    /// <summary>Keys of bare parts that a whole model makes superfluous, as a note; null if there are none.</summary>
    public string? SuperfluousParts
    {
        get
        {
            string[] given = [.. new[] { "model_config.lang_encoder_path", "model_config.tokenizer_path", "model_config.preset", "clap_config.checkpoint" }.Where(file.Has)];
            return given.Length == 0 ? null : $"{string.Join(", ", given)} {(given.Length == 1 ? "has" : "have")} no effect here: the model folder holds the encoder and the language model.";
        }
    }

    /// <summary>The mixture; empty where the configuration has none.</summary>
    public IReadOnlyList<BlendEntry> Entries => [.. file.Children("data_config.dataset_blending_config").Select(e => new BlendEntry
    {
        Name = e.Key,
        Weight = Number(e.Value, "weight") ?? 1,
        Augmentation = Wording(e.Value, prefixProbability: 0),
    })];

    /// <summary>What the run is tried on; empty where the configuration has nothing.</summary>
    public IReadOnlyList<ValidationEntry> Validation =>
    [
        .. file.Children("data_config.valid_dataset_config").Where(e => e.Value.IsMapping || IsOn(e.Value))
            .Select(e => new ValidationEntry(e.Key, e.Value.IsMapping ? Wording(e.Value, prefixProbability: 1) : null)),
    ];

    /// <summary>Name that the model goes by from now on; null keeps its own.</summary>
    public string? RunName => file.Text("train_config.run_name") is { Length: > 0 } name ? name : null;

    /// <summary>Passes over the mixture.</summary>
    public int Epochs => file.Whole("train_config.num_epochs")!.Value;

    /// <summary>The folder of manifests; null where the configuration names none.</summary>
    public string? ManifestFolder => file.Text("data_config.dataset_file_root") is { Length: > 0 } folder ? folder : null;

    /// <summary>Gives the options of a stage that starts from a whole model.</summary>
    /// <param name="modelFolder">The model.</param> <param name="data">Where the data is, if the configuration does not say it.</param>
    /// <param name="device">Where the model is.</param>
    /// <exception cref="FlamingoException">The configuration contradicts itself, or is that of another model.</exception>
    public LanguageTaskOptions Task(string modelFolder, StageData data, string device)
    {
        CheckModel(modelFolder, FlamingoConfig.Load(FlamingoSharp.Weights.ModelFolder.Open(modelFolder).ConfigPath));
        return Task(data, device) with { ModelFolder = modelFolder };
    }

    /// <summary>Gives the options of a stage that starts from a bare language model and encoder.</summary>
    /// <param name="parts">Those.</param> <param name="data">Where the data is, if the configuration does not say it.</param>
    /// <param name="device">Where the model is.</param>
    /// <exception cref="FlamingoException">The configuration contradicts itself or the parts, or these do not belong together.</exception>
    public LanguageTaskOptions Task(BareParts parts, StageData data, string device)
    {
        CheckModel(parts.LanguageModel, StartingModel.Of(parts).Config);
        return Task(data, device) with { Parts = parts };
    }

    private LanguageTaskOptions Task(StageData data, string device) => new()
    {
        Stage = stage,
        Entries = data.Entries,
        GlobalWeight = file.Number("data_config.dataset_blending_global_weight") ?? 1,
        Validation = data.Validation,
        ValidationLimit = file.Whole("data_config.valid_limit")!.Value,
        DataRoot = data.Root,
        Manifests = data.Manifests,
        BatchSize = file.Whole("train_config.batch_size")!.Value,
        MaxTokens = file.Whole("data_config.max_tokens")!.Value,
        Seed = file.Whole("train_config.seed")!.Value,
        AsAsked = file.Text("data_config.prompt_format") == "model",
        MaxWindows = file.Whole("clap_config.max_num_window"),
        Curriculum = Curriculum(),
        Slots = file.Whole("clap_config.max_num_fewshot"),
        FullLanguageModel = file.YesNo("sft_config.unfreeze_full_lm"),
        Embeddings = file.YesNo("train_config.train_all_embeddings") ? EmbeddingTraining.All
            : file.YesNo("train_config.freeze_lm_embeddings") ? EmbeddingTraining.Frozen : EmbeddingTraining.SoundTokens,
        Lora = Lora(),
        Encoder = Encoder(),
        Optimization = Optimization(),
        LossMultiplier = file.Number("train_config.loss_multiplier")!.Value,
        ComputeType = Precision(),
        Recompute = file.YesNo("train_config.gradient_checkpointing"),
        Views = file.Whole("data_config.views")!.Value,
        CacheFolder = file.Text("data_config.feature_cache") switch
        {
            Off => null,
            "" => Path.Combine(Runtime.UserFolders.Cache, "features"),
            var folder => folder,
        },
        CacheBytes = (long)(file.Number("data_config.feature_cache_gb")!.Value * (1L << 30)),
        Device = device,
    };

    /// <summary>Gives the options of the run.</summary>
    /// <param name="folder">Receives everything.</param> <param name="epochBatches">Micro-batches of an epoch.</param>
    public TrainingRunOptions Run(string folder, long epochBatches)
    {
        var optimization = Optimization();
        double every = file.Number("train_config.validate_every_epochs")!.Value * epochBatches / optimization.Accumulation;
        int validate = every > 0 ? Math.Max(1, (int)Math.Round(every)) : 0;
        return new TrainingRunOptions
        {
            Folder = folder,
            Optimization = optimization,
            Epochs = Epochs,
            Seed = file.Whole("train_config.seed")!.Value,
            AverageDecay = file.Number("train_config.average_decay") is > 0 and var decay ? decay : null,
            ValidateEvery = validate,
            Patience = file.Whole("train_config.patience") is > 0 and var patience ? patience : null,
            CheckpointEvery = validate > 0 ? validate : 500,
            CheckpointsKept = file.YesNo("train_config.delete_previous_checkpoint") ? 2 : int.MaxValue,
            PrepareThreads = Math.Max(1, file.Whole("data_config.num_workers")!.Value),
        };
    }

    private OptimizationOptions Optimization() => new()
    {
        LearningRate = file.Number("train_config.learning_rate")!.Value,
        WarmupSteps = file.Whole("train_config.warmup_steps")!.Value,
        Schedule = Enum.Parse<LearningRateSchedule>(file.Text("train_config.lr_scheduler"), ignoreCase: true),
        Accumulation = file.Whole("train_config.gradient_accumulation_steps")!.Value,
        ClipNorm = file.Number("train_config.clip_norm")!.Value,
        CrossAttentionWeightDecay = file.Number("train_config.weight_decay")!.Value,
        OtherWeightDecay = file.Number("train_config.other_weight_decay")!.Value,
    };

    private ScalarType Precision() => file.Text("train_config.precision") switch
    {
        "fp32" => ScalarType.Float32,
        "fp16" => throw file.Wrong("train_config.precision", "is fp16, which would need its losses scaled; use amp_bf16, or fp32."),
        _ => ScalarType.BFloat16,
    };

    private LoraOptions? Lora() => file.Whole("lora_config.rank") is > 0 and var rank
        ? new LoraOptions { Rank = rank, Alpha = file.Number("lora_config.alpha")!.Value, Targets = List("lora_config.targets") }
        : null;

    private EncoderTuning? Encoder() => file.YesNo("clap_config.finetune")
        ? new EncoderTuning
        {
            Parts = List("clap_config.finetune_parts"),
            LearningRateScale = file.Number("clap_config.learning_rate_scale")!.Value,
            Augment = file.YesNo("clap_config.spec_augment") ? new SpecAugment() : null,
        }
        : null;

    private List<(int, int)> Curriculum() => [.. file.Children("clap_config.window_curriculum").Select(e =>
        int.TryParse(e.Key, NumberStyles.None, CultureInfo.InvariantCulture, out int epoch) && e.Value.Value is { } windows
            ? (epoch, int.Parse(windows, CultureInfo.InvariantCulture))
            : throw file.Wrong("clap_config.window_curriculum", $"has the key '{e.Key}'; expected epochs from 0 with the number of windows from then on, e.g. {{0: 3, 50: 6, 100: 12}}.")).OrderBy(e => e.Item1)];

    // A file that describes another model than the one given is a mistake, not a wish.
    private void CheckModel(string modelFolder, FlamingoConfig config)
    {
        var transformer = config.AudioTransformer;
        (string Path, double Own)[] known =
        [
            ("clap_config.audio_embed_dim", config.Encoder.OutputDim),
            ("clap_config.window_length", config.Windows.LengthSeconds),
            ("clap_config.window_overlap", config.Windows.OverlapSeconds),
            ("model_config.cross_attn_every_n_layers", config.CrossAttention.EveryLayers),
            ("model_config.audio_transformer_kwargs.n_head", transformer.Heads),
            ("model_config.audio_transformer_kwargs.n_layers", transformer.Layers),
            ("model_config.audio_transformer_kwargs.d_inner", transformer.FeedForward),
        ];
        foreach (var (path, own) in known)
        {
            if (file.Number(path) is { } said && said != own)
                throw file.Wrong(path, string.Create(CultureInfo.InvariantCulture, $"is {said}, but the model '{modelFolder}' has {own}: the configuration is that of another model."));
        }
    }

    private List<string> List(string path) => [.. file.Text(path).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];

    private static bool IsOn(ConfigNode node) => node.Value!.ToLowerInvariant() is "true" or "yes" or "on";

    private static double? Number(ConfigNode node, string key) =>
        node.Children.TryGetValue(key, out var child) && child.Value is { Length: > 0 } value ? double.Parse(value, CultureInfo.InvariantCulture) : null;

    private static AugmentationOptions Wording(ConfigNode node, double prefixProbability)
    {
        var options = new AugmentationOptions { PrefixProbability = Number(node, "prefix_prob") ?? prefixProbability };
        return node.Children.TryGetValue("augmentations", out var wordings) && wordings.Children.Count > 0
            ? options with { Wordings = [.. wordings.Children.Select(w => KeyValuePair.Create(w.Key, double.Parse(w.Value.Value!, CultureInfo.InvariantCulture)))] }
            : options;
    }
}
