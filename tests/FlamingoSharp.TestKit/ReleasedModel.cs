using System.Text.Json;
using FlamingoSharp.Models;
using FlamingoSharp.Weights;

namespace FlamingoSharp.TestKit;

/// <summary>What of a small release stands in its chunks.</summary>
public enum ReleasedChunks
{
    /// <summary>What was trained: a part of the encoder, the audio transformer, the cross attention, the token embedding.</summary>
    Trained,

    /// <summary>That, but for the token embedding.</summary>
    TrainedWithoutEmbedding,

    /// <summary>The whole state dictionary, copies and computed buffers included.</summary>
    Everything,
}

/// <summary>Audio Flamingo 2 in the form in which it is published, small and with synthetic weights: its own folder, and that of its language model.</summary>
/// <remarks>Source of the form: SPEC §4, §10.4, and §1.3 for the embedding that is cut.</remarks>
public sealed class ReleasedModel : IDisposable
{
    private const string Layer = ".decoder_layer.", Language = "lang_encoder.model.", Encoder = "clap.nvclap.";
    private const int PlainRows = 4120; // more than the tokens in use, as Qwen2.5 has it

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("flamingo-released-");

    /// <summary>Writes both folders.</summary>
    /// <param name="held">What the chunks hold.</param>
    public ReleasedModel(ReleasedChunks held = ReleasedChunks.Trained)
    {
        var weights = Config.DescribeWeights();
        bool Trained(WeightInfo w) => held == ReleasedChunks.Everything ? true
            : w.Name.StartsWith(Encoder, StringComparison.Ordinal) ? w.Name.Contains(".layers.0.", StringComparison.Ordinal)
            : w.Name.EndsWith("embed_tokens.weight", StringComparison.Ordinal) ? held == ReleasedChunks.Trained
            : !w.Name.StartsWith(Language, StringComparison.Ordinal) || w.Name.Contains("gated_cross_attn", StringComparison.Ordinal);
        Expected = new SyntheticCheckpoint("what the release means", weights.Select(w =>
            SyntheticTensor.For(w.Name, w.Shape, Trained(w) ? "trained/" : "plain/")));

        WeightInfo[] copies =
        [
            Info("lang_encoder.lm_head.weight", Config.Language.VocabularySize, 32), Info("lang_encoder.old_decoder_blocks.0.mlp.up_proj.weight", 64, 32),
            Info("lang_encoder.gated_cross_attn_layers_sound.0.attn_gate", 1), Info("audio_transformer_clap.position_enc.inv_freq", 16),
        ];
        var trained = weights.Where(Trained).Concat(held == ReleasedChunks.Everything ? copies : []).ToList();
        var chunks = trained.Chunk((trained.Count / 3) + 1).Select((c, i) => (Name: $"chunk_{i}", Tensors: c)).ToList();
        foreach (var (name, tensors) in chunks)
            SafeTensorsWriter.WriteFile(Chunk(name), SyntheticCheckpoint.Of(name, tensors, "trained/"));
        File.WriteAllText(MetadataPath, JsonSerializer.Serialize(chunks.ToDictionary(c => c.Name, c => c.Tensors.Select(t => t.Name).ToArray())));

        Directory.CreateDirectory(Path.Combine(CheckpointFolder, "clap_ckpt"));
        var encoder = weights.Where(w => w.Name.StartsWith(Encoder, StringComparison.Ordinal)).ToList();
        WeightInfo[] beside = [Info("text_branch.pooler.weight", 2, 2), Info("audio_projection.0.weight", 2, 2), Info("logit_scale_a", 1)];
        TorchFile.Write(EncoderPath, SyntheticCheckpoint.Of("clap", encoder.Concat(beside), "plain/"),
            name => "module." + (name.StartsWith(Encoder, StringComparison.Ordinal) ? "audio_branch." + name[Encoder.Length..] : name));

        Directory.CreateDirectory(LanguageModelFolder);
        var language = weights.Where(w => w.Name.StartsWith(Language, StringComparison.Ordinal) && !w.Name.Contains("gated_cross_attn", StringComparison.Ordinal))
            .Select(w => w.Name.EndsWith("embed_tokens.weight", StringComparison.Ordinal) ? w with { Shape = [PlainRows, w.Shape[1]] } : w);
        SafeTensorsWriter.WriteFolder(LanguageModelFolder, new SyntheticCheckpoint("language model", language.Select(w =>
            SyntheticTensor.For(w.Name, w.Shape, "plain/") with { Name = "model." + w.Name[Language.Length..].Replace(Layer, ".", StringComparison.Ordinal) })),
            new SafeTensorsOptions { ShardBytes = 300_000 });
        File.WriteAllText(Path.Combine(LanguageModelFolder, "config.json"), """{"model_type": "qwen2", "tie_word_embeddings": true}""");
        File.Copy(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini", "tokenizer.json"), Path.Combine(LanguageModelFolder, "tokenizer.json"));
    }

    /// <summary>Four windows of a second, four vectors each.</summary>
    public static FlamingoConfig Config { get; } = TinyModel.Config2 with { Name = "af2-toy" };

    /// <summary>Holds <c>safe_ckpt</c> and <c>clap_ckpt</c>.</summary>
    public string CheckpointFolder => Path.Combine(_root.FullName, "audio-flamingo-2");

    /// <summary>The Hugging Face folder, with a tokenizer.</summary>
    public string LanguageModelFolder => Path.Combine(_root.FullName, "qwen2.5");

    /// <summary>The list of the chunks.</summary>
    public string MetadataPath => Path.Combine(CheckpointFolder, "safe_ckpt", "metadata.json");

    /// <summary>The encoder's file.</summary>
    public string EncoderPath => Path.Combine(CheckpointFolder, "clap_ckpt", "epoch_16.pt");

    /// <summary>Every tensor of the model, with the value that it has once everything is put together.</summary>
    public SyntheticCheckpoint Expected { get; }

    /// <summary>The file of a chunk.</summary>
    public string Chunk(string name) => Path.Combine(Directory.CreateDirectory(Path.Combine(CheckpointFolder, "safe_ckpt")).FullName, name + ".safetensors");

    /// <summary>A path in the same place that does not exist yet.</summary>
    public string NewPath() => Path.Combine(_root.FullName, Guid.NewGuid().ToString("N"));

    /// <inheritdoc/>
    public void Dispose() => _root.Delete(recursive: true);

    private static WeightInfo Info(string name, params long[] shape) => new(name, shape, TorchSharp.torch.ScalarType.Float32);
}
