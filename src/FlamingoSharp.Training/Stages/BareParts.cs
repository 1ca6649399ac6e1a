using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Hub;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Stages;

/// <summary>A plain language model and a sound encoder that are to become a model that hears.</summary>
/// <remarks>Source: create_model_and_transforms of the reference.</remarks>
internal sealed record BareParts
{
    /// <summary>Hugging Face folder of an OPT or Qwen2.</summary>
    public required string LanguageModel { get; init; }

    /// <summary>Checkpoint of a CLAP's sound encoder, or folder of a model that has one.</summary>
    public required string Encoder { get; init; }

    /// <summary>Folder of the tokenizer; null for that of the language model.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>The form of the model; null for that of Audio Flamingo 1 over an OPT, of Audio Flamingo 2 over a Qwen2.</summary>
    public FlamingoConfig? Form { get; init; }

    /// <summary>Seed of first values.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>The folder of a name: a folder, or that of a model that was pulled.</summary>
    /// <exception cref="FlamingoException">There is none.</exception>
    public static string Locate(string name)
    {
        if (Path.Exists(name))
            return name;
        return HubModelId.TryParse(name) is { } id && ModelHub.FindSnapshot(id, new HubOptions()) is { } pulled ? pulled : throw new FlamingoException(FlamingoErrorKind.Model,
            $"There is no '{name}' to start from, and no pulled model of that name: check the path, or download it with 'flamingo pull'.");
    }

    /// <summary>The form of the whole model, over a language model of these sizes.</summary>
    /// <exception cref="FlamingoException">The form that was asked for is another.</exception>
    public FlamingoConfig FormOf(LanguageModelOptions language)
    {
        var form = Form ?? (language is OptOptions ? FlamingoConfig.Af1Foundation : FlamingoConfig.Af2) with
        {
            Name = $"{(language is OptOptions ? "af1" : "af2")}-{Path.GetFileName(Path.TrimEndingDirectorySeparator(LanguageModel))}",
            Language = language,
        };
        if (Sizes(form.Language) != Sizes(language))
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{LanguageModel}' is {LanguageModelFolder.Describe(language)}, but '{form.Name}' is built on {LanguageModelFolder.Describe(form.Language)}: name the preset of that language model, or none.");
        }
        form = form with { Language = language };
        if (EncoderForm() is not { } encoder || Heard(encoder) == Heard(form.Encoder))
            return form;
        if (Form is not null)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"The encoder in '{Encoder}' is of another form than that of '{form.Name}', or hears other windows: name the preset or configuration of that encoder, or none.");
        }
        return form with
        {
            Encoder = encoder,
            Windows = form.Windows with { SampleRate = encoder.SampleRate, LengthSeconds = encoder.WindowSeconds, OverlapSeconds = 0 },
            AudioTransformer = form.AudioTransformer with { Width = encoder.OutputDim },
        };
    }

    /// <summary>Opens the weights of a whole model of a form.</summary>
    /// <exception cref="FlamingoException">A part is corrupt, or not of the form.</exception>
    public IWeightSource OpenWeights(FlamingoConfig form)
    {
        NativeRuntime.EnsureLoaded();
        using var shapes = (form with { Windows = form.Windows with { MaxWindows = 1, Slots = 1 } }).Build(soundToken: 0);
        return Checkpoint.Merge($"{LanguageModel}, {Encoder}", Parts());

        IEnumerable<IWeightSource> Parts()
        {
            var wanted = ModuleWeights.Describe(shapes);
            var language = Of(Checkpoint.Open(LanguageModel), ModelPart.Language);
            yield return Fitting(
                new FirstRowsSource(language, ".embed_tokens.weight", form.Language.VocabularySize, (rows, width) => ParameterInit.Rows(rows, width, Seed)),
                wanted.Where(w => ModelParts.Of(w.Name) == ModelPart.Language),
                $"The language model in '{LanguageModel}' is not what its config.json says");
            yield return Fitting(
                Of(Checkpoint.Open(Encoder), ModelPart.Encoder),
                wanted.Where(w => ModelParts.Of(w.Name) == ModelPart.Encoder),
                $"The encoder in '{Encoder}' is not that of '{form.Name}'");
            yield return new FirstValues(shapes, Seed, name => ModelParts.Of(name) is not (ModelPart.Language or ModelPart.Encoder));
        }
    }

    private static RenamedSource Of(IWeightSource source, ModelPart part) =>
        new(source, name => NameMap.Canonical(name) is { } canonical && ModelParts.Of(canonical) == part ? canonical : null);

    // In one sentence, by the first tensor that is missing or of another shape.
    private static IWeightSource Fitting(IWeightSource source, IEnumerable<WeightInfo> wanted, string problem)
    {
        foreach (var weight in wanted)
        {
            var found = source.Weights.GetValueOrDefault(weight.Name);
            if (found is not null && found.Shape.SequenceEqual(weight.Shape))
                continue;
            source.Dispose();
            string there = found is null ? "is missing" : $"is [{string.Join(", ", found.Shape)}]";
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"{problem}: {weight.Name} {there}, but must be [{string.Join(", ", weight.Shape)}]. Name the file or folder of such a one, or the preset that fits it.");
        }
        return source;
    }

    // Null for a file, or a folder that does not say.
    private HtsatOptions? EncoderForm()
    {
        string config = Path.Combine(Encoder, "config.json");
        return !File.Exists(config) ? null : ClapConfig.Describes(config) ? ClapConfig.Load(config).Audio : FlamingoConfig.Load(config).Encoder;
    }

    // Sizes alone: how many rows the embedding has is the tokenizer's to say, dropout is the user's.
    private static LanguageModelOptions Sizes(LanguageModelOptions options) => options switch
    {
        OptOptions opt => opt with { VocabularySize = 1, MaxPositions = 1, Dropout = 0 },
        Qwen2Options qwen => qwen with { VocabularySize = 1, MaxPositions = 1, NormEpsilon = 0, RotaryBase = 0 },
        _ => options,
    };

    private static string Heard(HtsatOptions encoder) =>
        System.Text.Json.JsonSerializer.Serialize(encoder with { DropPath = 0, ProjectionDropout = 0 });
}
