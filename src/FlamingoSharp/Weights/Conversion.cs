using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>What becomes one model folder.</summary>
public sealed record ConversionRequest
{
    /// <summary>The Audio Flamingo checkpoint: a file or folder, or its parts in order.</summary>
    public required IReadOnlyList<string> Checkpoint { get; init; }

    /// <summary>The sound encoder's file, e.g. clapcap_weights_2023.pth; null if the checkpoint holds it.</summary>
    public string? Encoder { get; init; }

    /// <summary>
    /// The plain language model, e.g. the Hugging Face folder of Qwen2.5-3B; null if the checkpoint holds it whole. What the checkpoint
    /// holds of it takes its place.
    /// </summary>
    public string? LanguageModel { get; init; }

    /// <summary>Rows to which the embedding of <see cref="LanguageModel"/> is cut, as the reference does; null leaves it.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>A folder with <c>tokenizer.json</c>, or <c>vocab.json</c> and <c>merges.txt</c>; its files are copied as they are.</summary>
    public required string TokenizerFolder { get; init; }

    /// <summary>The text of <c>config.json</c>.</summary>
    public required string Config { get; init; }

    /// <summary>The folder to write; must not exist, or be empty.</summary>
    public required string Output { get; init; }

    /// <summary>Element type of the floating-point tensors; null keeps those of the checkpoint.</summary>
    public ScalarType? Type { get; init; }

    /// <summary>
    /// Is given the merged tensors before anything is written, and throws if they do not fit the model, e.g. through <see cref="ModuleWeights.Check(TorchSharp.torch.nn.Module, IWeightSource, string)"/>.
    /// </summary>
    public Action<IWeightSource>? Check { get; init; }

    /// <summary>Is told before each tensor.</summary>
    public IProgress<WeightProgress>? Progress { get; init; }
}

/// <summary>What a conversion did.</summary>
/// <param name="Folder">The new model.</param>
/// <param name="Tensors">Number of tensors written.</param>
/// <param name="Ignored">Names that were left out: copies, computed buffers, parts of other models.</param>
public sealed record ConversionResult(ModelFolder Folder, int Tensors, IReadOnlyList<string> Ignored);

/// <summary>Merges published files into one model folder of our own form.</summary>
public static class Conversion
{
    /// <summary>Converts: tensor by tensor, so that memory stays near that of the largest one.</summary>
    /// <exception cref="FlamingoException">A file is missing, corrupt or does not fit; nothing is written then.</exception>
    public static ConversionResult Run(ConversionRequest request, CancellationToken cancellation = default)
    {
        var tokenizer = ModelFolder.TokenizerFiles(request.TokenizerFolder) ?? throw new FlamingoException(FlamingoErrorKind.Model,
            $"{request.TokenizerFolder}: no tokenizer there; expected tokenizer.json, or vocab.json with merges.txt.");
        var ignored = new List<string>();
        using var source = OpenAll(request, ignored);
        request.Check?.Invoke(source);
        var folder = ModelFolder.Write(request.Output, into =>
        {
            File.WriteAllText(Path.Combine(into, "config.json"), request.Config);
            foreach (string file in tokenizer)
                File.Copy(Path.Combine(request.TokenizerFolder, file), Path.Combine(into, file));
            SafeTensorsWriter.WriteFolder(into, source, new SafeTensorsOptions { Type = request.Type, Progress = request.Progress }, cancellation);
        });
        return new ConversionResult(folder, source.Weights.Count, ignored);
    }

    private static IWeightSource OpenAll(ConversionRequest request, List<string> ignored)
    {
        var source = Checkpoint.Merge(string.Join(", ", request.Checkpoint), Sources());
        try
        {
            Require(source, request, "lang_encoder.", "language model", "it is no Audio Flamingo checkpoint, or some of its parts were not named");
            Require(source, request, "audio_transformer", "audio transformer", "it is no Audio Flamingo checkpoint, or some of its parts were not named");
            Require(source, request, "clap.", "sound encoder",
                "name the encoder's file too (clapcap_weights_2023.pth for Audio Flamingo 1, clap_ckpt/epoch_16.pt for 2)");
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }

        IEnumerable<IWeightSource> Sources()
        {
            if (request.Encoder is { } encoder)
            {
                if (request.Checkpoint.Select(CheckpointFolder.EncoderOf).FirstOrDefault(e => e is not null) is { } other)
                {
                    throw new FlamingoException(FlamingoErrorKind.Usage,
                        $"There are two sound encoders, {encoder} and the checkpoint's {other}. Name none, or convert the checkpoint's safe_ckpt folder with the one.");
                }
                yield return new RenamedSource(Checkpoint.Open(encoder), name => Kept(name, ModelPart.Encoder));
            }
            if (request.LanguageModel is { } language)
            {
                var renamed = new RenamedSource(Checkpoint.Open(language), name => Kept(name, ModelPart.Language));
                yield return request.VocabularySize is { } rows ? new FirstRowsSource(renamed, ".embed_tokens.weight", rows) : renamed;
            }
            yield return new RenamedSource(Checkpoint.Open(request.Checkpoint), name => Kept(name, null));
        }

        string? Kept(string name, ModelPart? only)
        {
            string? canonical = NameMap.Canonical(name);
            if (canonical is not null && ModelParts.Of(canonical) is { } part && (only is null || part == only))
                return canonical;
            ignored.Add(name);
            return null;
        }
    }

    private static void Require(IWeightSource source, ConversionRequest request, string start, string part, string advice)
    {
        if (!source.Weights.Keys.Any(k => k.StartsWith(start, StringComparison.Ordinal)))
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"{string.Join(", ", request.Checkpoint)}: the {part} ({start}*) is not in it: {advice}.");
        }
    }
}
