using System.Text.Json;
using FlamingoSharp.Models;
using FlamingoSharp.Weights;

namespace FlamingoSharp.TestKit;

/// <summary>What a new model is made of, tiny: a language model in Hugging Face's form with flamingo-mini's tokenizer, and a CLAP's encoder.</summary>
public sealed class TinyParts : IDisposable
{
    /// <summary>Writes both.</summary>
    /// <param name="config">The form of the model that they are parts of.</param>
    /// <param name="rows">Rows of the language model's embedding.</param>
    public TinyParts(FlamingoConfig config, int rows)
    {
        NativeRuntimeStart.Load();
        Root = Directory.CreateTempSubdirectory("flamingo-parts-").FullName;
        Directory.CreateDirectory(LanguageModel);
        File.Copy(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini", "tokenizer.json"), Path.Combine(LanguageModel, "tokenizer.json"));
        File.WriteAllText(Path.Combine(LanguageModel, "config.json"), JsonSerializer.Serialize(ConfigOf(config.Language, rows)));
        using var model = config.Build(soundToken: 0);
        var all = ModuleWeights.Describe(model).Where(w => !w.Name.Contains("gated_cross", StringComparison.Ordinal)).ToList();
        Write(Path.Combine(LanguageModel, "model.safetensors"), all.Where(w => w.Name.StartsWith("lang_encoder.", StringComparison.Ordinal))
            .Select(w => w.Name.EndsWith("embed_tokens.weight", StringComparison.Ordinal) ? w with { Shape = [rows, w.Shape[1]] } : w));
        Write(Encoder, all.Where(w => w.Name.StartsWith("clap.", StringComparison.Ordinal)));
    }

    /// <summary>Holds both.</summary>
    public string Root { get; }

    /// <summary>The language model's folder.</summary>
    public string LanguageModel => Path.Combine(Root, "tiny-opt");

    /// <summary>The encoder's file.</summary>
    public string Encoder => Path.Combine(Root, "clap.safetensors");

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static void Write(string file, IEnumerable<WeightInfo> weights)
    {
        using var made = new RenamedSource(
            new SyntheticCheckpoint("tiny parts", [.. weights.Select(w => SyntheticTensor.For(w.Name, w.Shape, "parts/"))]),
            name => name.Replace("lang_encoder.", "", StringComparison.Ordinal).Replace(".decoder_layer.", ".", StringComparison.Ordinal));
        SafeTensorsWriter.WriteFile(file, made);
    }

    private static Dictionary<string, object> ConfigOf(LanguageModelOptions language, int rows) => language switch
    {
        OptOptions opt => new()
        {
            ["model_type"] = "opt",
            ["vocab_size"] = rows,
            ["hidden_size"] = opt.HiddenSize,
            ["num_hidden_layers"] = opt.Layers,
            ["num_attention_heads"] = opt.Heads,
            ["ffn_dim"] = opt.FeedForward,
            ["max_position_embeddings"] = opt.MaxPositions,
            ["dropout"] = 0.0,
        },
        Qwen2Options qwen => new()
        {
            ["model_type"] = "qwen2",
            ["vocab_size"] = rows,
            ["hidden_size"] = qwen.HiddenSize,
            ["num_hidden_layers"] = qwen.Layers,
            ["num_attention_heads"] = qwen.Heads,
            ["num_key_value_heads"] = qwen.KeyValueHeads,
            ["intermediate_size"] = qwen.FeedForward,
            ["max_position_embeddings"] = qwen.MaxPositions,
            ["tie_word_embeddings"] = true,
        },
        _ => throw new ArgumentException("Neither OPT nor Qwen2.", nameof(language)),
    };
}
