using System.Globalization;
using System.Text;
using FlamingoSharp.Encoders;
using FlamingoSharp.Generation;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>How a model does on one kind of text.</summary>
/// <param name="Type">caption, labels, or a type of question.</param> <param name="Count">Texts.</param>
/// <param name="Exact">Share of answers equal to the expected one, lower-cased, without outer white space and a last full stop.</param>
/// <param name="NamesIt">Captions alone: share that contain one of the sound's labels as words; null otherwise.</param>
/// <param name="MostFrequent">Share that the most frequent training answer of this type (with the same choices, for questions with choices: chance) gets right.</param>
public sealed record MiniScore(string Type, int Count, double Exact, double? NamesIt, double MostFrequent);

/// <summary>Scores a mini model on a split of the catalogue it was not trained on: captions, label lists and written questions.</summary>
public sealed record MiniEvaluation
{
    /// <summary>Folder with catalogue.jsonl, synthesis.jsonl and qa.jsonl.</summary>
    public required string CatalogueFolder { get; init; }

    /// <summary>Folder of a <see cref="MelStore"/> made from the same catalogue.</summary>
    public required string MelFolder { get; init; }

    /// <summary>The model.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>The split, e.g. <c>test</c>.</summary>
    public string Split { get; init; } = "test";

    /// <summary>Texts scored of each type at most, evenly spread over the split.</summary>
    public int MostOfEachType { get; init; } = 400;

    /// <summary>Prompts answered together.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Answers every text and scores the answers, type by type.</summary>
    /// <exception cref="FlamingoException">A part cannot be read.</exception>
    public IReadOnlyList<MiniScore> Run(Action<string>? report = null, CancellationToken cancellation = default)
    {
        NativeRuntime.EnsureLoaded();
        using var quiet = no_grad();
        var catalogue = SoundCatalogue.Load(CatalogueFolder);
        using var mels = MelStore.Open(MelFolder);
        var folder = FlamingoSharp.Weights.ModelFolder.Open(ModelFolder);
        var config = FlamingoConfig.Load(folder.ConfigPath);
        var tokenizer = Tokenizer.Load(folder.TokenizerFolder);
        using var model = config.Build(tokenizer.Special.Audio.Id);
        using var encoder = new Htsat(config.Encoder);
        using (var weights = folder.OpenWeights())
        {
            ModuleWeights.Fill(model, weights, type: ScalarType.Float32);
            ModuleWeights.Fill(encoder, weights, "clap.", ScalarType.Float32);
        }
        model.eval();
        encoder.eval();

        var options = new TrainingTextOptions { AnswerSuffix = "" };
        var batcher = new TextBatcher(tokenizer, config.Prompts, config.Language.MaxPositions);
        var texts = new TrainingTexts(catalogue, Split, mels.IsUsable, options).All().GroupBy(t => t.Type)
            .SelectMany(g => Spread([.. g], MostOfEachType)).Select(batcher.Tokenize).OfType<TokenizedText>().ToList();
        var frequent = new TrainingTexts(catalogue, "train", mels.IsUsable, options).All().GroupBy(t => t.Type)
            .ToDictionary(g => g.Key, g => g.CountBy(t => t.Answer).MaxBy(c => c.Value).Key);
        var encodings = EncodingCache.Compute(encoder, mels, texts.Select(t => t.Source.Id).Distinct(), cancellation);

        var answers = new Dictionary<TokenizedText, string>();
        foreach (var batch in texts.OrderBy(t => t.Prompt.Count).Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var (vectors, valid) = encodings.Gather([.. batch.Select(t => t.Source.Id)]);
            using var media = model.Hear(vectors, valid);
            var prompts = batch.Select(t => t.Prompt).ToList();
            var generation = (GenerationOptions.Greedy with { MaxNewTokens = 48 }).ForModel(tokenizer.Special);
            using var session = DecodingSession.Start(model, prompts, tokenizer.Special.Pad.Id, media, generation.MaxNewTokens);
            foreach (var sequence in TokenGenerator.Run(session, prompts, generation, model.Language.MaxTokens, cancellation: cancellation).Sequences)
                answers[batch[sequence.Prompt]] = Normal(tokenizer.DecodeAnswer(sequence.GeneratedIds));
            report?.Invoke($"{answers.Count} of {texts.Count} answered");
        }
        return [.. answers.GroupBy(a => a.Key.Source.Type).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new MiniScore(
            g.Key, g.Count(),
            g.Average(a => a.Value == Normal(a.Key.Source.Answer) ? 1.0 : 0),
            g.Key == "caption" ? g.Average(a => Names(a.Value, catalogue[a.Key.Source.Id]) ? 1.0 : 0) : null,
            g.Average(a => Normal(frequent.GetValueOrDefault(g.Key, "")) == Normal(a.Key.Source.Answer) ? 1.0 : 0)))];
    }

    /// <summary>The scores as a Markdown table.</summary>
    public static string ToMarkdown(IEnumerable<MiniScore> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var text = new StringBuilder("| text | n | exact | names it | most frequent answer |\n|---|---|---|---|---|\n");
        foreach (var score in scores)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {score.Type} | {score.Count} | {score.Exact:p1} | ");
            text.Append(CultureInfo.InvariantCulture, $"{score.NamesIt:p1} | {score.MostFrequent:p1} |\n");
        }
        return text.ToString();
    }

    private static IEnumerable<TrainingText> Spread(IReadOnlyList<TrainingText> texts, int most) =>
        Enumerable.Range(0, Math.Min(most, texts.Count)).Select(i => texts[(int)((long)i * texts.Count / Math.Min(most, texts.Count))]);

    private static bool Names(string caption, LabelledSound sound)
    {
        string words = $" {string.Join(' ', caption.Split([' ', '.', ',', ';'], StringSplitOptions.RemoveEmptyEntries))} ";
        return sound.Labels.Where(l => !l.Contains(':')).Any(l => words.Contains($" {l.ToLowerInvariant()}", StringComparison.Ordinal));
    }

    private static string Normal(string text) => text.ToLowerInvariant().Trim().TrimEnd('.');
}
