using FlamingoSharp.Models;

namespace FlamingoSharp.Training.Config;

/// <summary>What a configuration's value may be.</summary>
internal enum ConfigKind
{
    /// <summary>Any text; empty for none.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number.</summary>
    Number,

    /// <summary>true or false.</summary>
    YesNo,

    /// <summary>A mapping whose keys are free, such as names of data sets.</summary>
    Mapping,
}

/// <summary>A key that configurations may have.</summary>
/// <param name="Path">With dots between levels; <c>*</c> stands for a free name.</param>
/// <param name="Kind">What its value is.</param>
/// <param name="Default">As it would be written; empty where there is none.</param>
internal sealed record ConfigKey(string Path, ConfigKind Kind, string Default = "")
{
    /// <summary>Why the key changes nothing here; null where it does.</summary>
    public string? NoEffect { get; init; }

    /// <summary>The values allowed; empty where all are.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Value at least, for numbers.</summary>
    public double Least { get; init; } = double.NegativeInfinity;

    private const string Sharding = "every process holds the whole model, and parameters are grouped as in the reference's path without sharding";
    private const string Launcher = "mpirun decides which processes train together";
    private const string Folder = "--out names the folder of the run";
    private const string Source = "the folder of the model, or of the encoder, says its form";

    /// <summary>
    /// All of them: those of the reference's files (Audio Flamingo 1: foundation and chat; Audio Flamingo 2: pretraining, SFT, inference), and ours.
    /// </summary>
    public static IReadOnlyList<ConfigKey> All { get; } =
    [
        new("train_config.expdir", ConfigKind.Text) { NoEffect = Folder },
        new("train_config.run_name", ConfigKind.Text),
        new("train_config.delete_previous_checkpoint", ConfigKind.YesNo, "true"),
        new("train_config.batch_size", ConfigKind.Whole, "4") { Least = 1 },
        new("train_config.gradient_accumulation_steps", ConfigKind.Whole, "1") { Least = 1 },
        new("train_config.seed", ConfigKind.Whole, "42"),
        new("train_config.learning_rate", ConfigKind.Number, "0.00002") { Least = 0 },
        new("train_config.lr_scheduler", ConfigKind.Text, "constant") { Choices = ["constant", "linear", "cosine"] },
        new("train_config.loss_multiplier", ConfigKind.Number, "1"),
        new("train_config.warmup_steps", ConfigKind.Whole, "100") { Least = 0 },
        new("train_config.weight_decay", ConfigKind.Number, "0.1") { Least = 0 },
        new("train_config.other_weight_decay", ConfigKind.Number, "0") { Least = 0 },
        new("train_config.clip_norm", ConfigKind.Number, "1") { Least = 0 },
        new("train_config.precision", ConfigKind.Text, "fp32") { Choices = ["fp32", "amp_bf16", "amp_bfloat16", "bf16", "fp16"] },
        new("train_config.gradient_checkpointing", ConfigKind.YesNo, "false"),
        new("train_config.num_epochs", ConfigKind.Whole, "1") { Least = 1 },
        new("train_config.freeze_lm_embeddings", ConfigKind.YesNo, "false"),
        new("train_config.train_all_embeddings", ConfigKind.YesNo, "false"),
        new("train_config.validate_every_epochs", ConfigKind.Number, "1") { Least = 0 },
        new("train_config.patience", ConfigKind.Whole, "0") { Least = 0 },
        new("train_config.average_decay", ConfigKind.Number, "0") { Least = 0 },
        new("train_config.logging_steps", ConfigKind.Whole) { NoEffect = "every step is logged" },
        new("train_config.offline", ConfigKind.YesNo) { NoEffect = "training never asks a hub" },
        new("train_config.dist_backend", ConfigKind.Text) { NoEffect = Launcher },
        new("train_config.dist_url", ConfigKind.Text) { NoEffect = Launcher },
        new("train_config.no_set_device_rank", ConfigKind.YesNo) { NoEffect = Launcher },
        new("train_config.fsdp", ConfigKind.YesNo) { NoEffect = Sharding },
        new("train_config.fsdp_use_orig_params", ConfigKind.YesNo) { NoEffect = Sharding },
        new("train_config.fsdp_sharding_strategy", ConfigKind.Text) { NoEffect = Sharding },
        new("train_config.horovod", ConfigKind.YesNo) { NoEffect = Launcher },

        new("sft_config.pretrained_path", ConfigKind.Text),
        new("sft_config.pretrained_ckpt", ConfigKind.Text),
        new("sft_config.unfreeze_full_lm", ConfigKind.YesNo, "true"),

        new("lora_config.rank", ConfigKind.Whole, "0") { Least = 0 },
        new("lora_config.alpha", ConfigKind.Number, "16") { Least = 0 },
        new("lora_config.targets", ConfigKind.Text, "q_proj,v_proj"),

        new("data_config.dataset_blending_global_weight", ConfigKind.Number) { Least = 0 },
        new("data_config.dataset_blending_config", ConfigKind.Mapping),
        new("data_config.dataset_blending_config.*", ConfigKind.Mapping),
        new("data_config.dataset_blending_config.*.weight", ConfigKind.Number, "1") { Least = 0 },
        new("data_config.dataset_blending_config.*.prefix_prob", ConfigKind.Number, "0") { Least = 0 },
        new("data_config.dataset_blending_config.*.augmentations", ConfigKind.Mapping),
        new("data_config.dataset_blending_config.*.augmentations.*", ConfigKind.Number) { Least = 0 },
        new("data_config.valid_dataset_config", ConfigKind.Mapping),
        new("data_config.valid_dataset_config.*", ConfigKind.YesNo),
        new("data_config.valid_dataset_config.*.prefix_prob", ConfigKind.Number, "1") { Least = 0 },
        new("data_config.valid_dataset_config.*.augmentations", ConfigKind.Mapping),
        new("data_config.valid_dataset_config.*.augmentations.*", ConfigKind.Number) { Least = 0 },
        new("data_config.valid_limit", ConfigKind.Whole, "64") { Least = 1 },
        new("data_config.dataset_file_root", ConfigKind.Text),
        new("data_config.data_root", ConfigKind.Text),
        new("data_config.dataset_blending_output", ConfigKind.Text) { NoEffect = "the mixture stands in the resolved configuration beside the model" },
        new("data_config.max_tokens", ConfigKind.Whole, "512") { Least = 8 },
        new("data_config.num_workers", ConfigKind.Whole, "2") { Least = 0 },
        new("data_config.prompt_format", ConfigKind.Text, "reference") { Choices = ["reference", "model"] },
        new("data_config.feature_cache", ConfigKind.Text),
        new("data_config.feature_cache_gb", ConfigKind.Number, "4") { Least = 0 },
        new("data_config.views", ConfigKind.Whole, "1") { Least = 1 },

        new("clap_config.method", ConfigKind.Text) { NoEffect = Source },
        new("clap_config.audio_embed_dim", ConfigKind.Whole),
        new("clap_config.config_root", ConfigKind.Text) { NoEffect = Source },
        new("clap_config.model_name", ConfigKind.Text) { NoEffect = Source },
        new("clap_config.checkpoint", ConfigKind.Text),
        new("clap_config.window_length", ConfigKind.Number),
        new("clap_config.window_overlap", ConfigKind.Number),
        new("clap_config.max_num_window", ConfigKind.Whole) { Least = 1 },
        new("clap_config.window_curriculum", ConfigKind.Mapping),
        new("clap_config.window_curriculum.*", ConfigKind.Whole) { Least = 1 },
        new("clap_config.max_num_fewshot", ConfigKind.Whole) { Least = 1 },
        new("clap_config.finetune", ConfigKind.YesNo, "false"),
        new("clap_config.finetune_parts", ConfigKind.Text),
        new("clap_config.learning_rate_scale", ConfigKind.Number, "1") { Least = 0 },
        new("clap_config.spec_augment", ConfigKind.YesNo, "true"),

        new("model_config.path", ConfigKind.Text),
        new("model_config.cache_dir", ConfigKind.Text) { NoEffect = "nothing is downloaded" },
        new("model_config.lang_encoder_path", ConfigKind.Text),
        new("model_config.tokenizer_path", ConfigKind.Text),
        new("model_config.preset", ConfigKind.Text) { Choices = [.. FlamingoConfig.Presets.Keys] },
        new("model_config.cross_attn_every_n_layers", ConfigKind.Whole),
        new("model_config.audio_transformer_kwargs", ConfigKind.Mapping),
        new("model_config.audio_transformer_kwargs.n_head", ConfigKind.Whole),
        new("model_config.audio_transformer_kwargs.n_layers", ConfigKind.Whole),
        new("model_config.audio_transformer_kwargs.d_inner", ConfigKind.Whole),
        new("model_config.audio_transformer_kwargs.max_num_media", ConfigKind.Whole) { NoEffect = "the model's own table of positions counts" },
        new("model_config.audio_transformer_kwargs.max_window_per_audio", ConfigKind.Whole) { NoEffect = "it follows from clap_config.max_num_window" },
        new("model_config.audio_transformer_kwargs.common_encoder_embed_dim", ConfigKind.Whole) { NoEffect = "the reference does not use it either" },
    ];

    /// <summary>The key of a path; null if there is none.</summary>
    public static ConfigKey? Find(IReadOnlyList<string> path) => All.FirstOrDefault(key => key.Fits(path));

    /// <summary>The names that may stand below a path, free ones left out.</summary>
    public static IReadOnlyList<string> Below(IReadOnlyList<string> path) =>
        [.. All.Select(k => k.Path.Split('.')).Where(k => k.Length > path.Count && Fits(k.AsSpan(0, path.Count), path) && k[path.Count] != "*")
            .Select(k => k[path.Count]).Distinct(StringComparer.Ordinal)];

    /// <summary>True if a path has keys below it.</summary>
    public static bool IsSection(IReadOnlyList<string> path) =>
        All.Select(k => k.Path.Split('.')).Any(k => k.Length > path.Count && Fits(k.AsSpan(0, path.Count), path));

    private bool Fits(IReadOnlyList<string> path)
    {
        string[] own = Path.Split('.');
        return own.Length == path.Count && Fits(own, path);
    }

    private static bool Fits(ReadOnlySpan<string> pattern, IReadOnlyList<string> path)
    {
        for (int i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != "*" && pattern[i] != path[i])
                return false;
        }
        return true;
    }
}
