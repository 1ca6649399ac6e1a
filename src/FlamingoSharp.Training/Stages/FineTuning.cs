using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Evaluation;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>How a fine-tuned model does on sounds that it was not trained on.</summary>
/// <param name="Split">Which sounds those are.</param> <param name="Sounds">How many.</param>
/// <param name="Accuracy">Share of answers that are the right label.</param>
/// <param name="NoLabel">Share of answers that are none of the labels.</param>
/// <param name="MostFrequent">Share that the most frequent label of the training sounds gets right.</param>
/// <param name="NearestMean">Share that the label with the nearest mean of the encoder's vectors gets right.</param>
/// <param name="Confusion">How often each label was answered with each other, right ones included: [expected][answered].</param>
public sealed record FineTuneReport(
    string Split, int Sounds, double Accuracy, double NoLabel, double MostFrequent, double NearestMean,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Confusion)
{
    /// <summary>The same as an evaluation's row, for the page about the run.</summary>
    internal RowReport? Row { get; init; }
}

/// <summary>Evaluates a model that was fine-tuned on a user's classes, as the user will ask it.</summary>
public static class FineTuning
{
    /// <summary>The stage's name.</summary>
    public const string Stage = "finetune";

    private const int Batch = 16;

    /// <summary>The classes of a data set; null if it has no classification task, or several.</summary>
    /// <param name="setFolder">Made by <c>flamingo data build</c>.</param>
    /// <exception cref="FlamingoException">It cannot be read.</exception>
    public static IReadOnlyList<string>? LabelsOf(string setFolder) =>
        DataSet.Open(setFolder).Tasks.Where(t => t.Kind == TaskKind.Classification).ToList() is [var only] ? only.Labels : null;

    /// <summary>Asks a model about every held-out sound.</summary>
    /// <param name="setFolder">The data set that it was trained on.</param> <param name="modelFolder">The model.</param>
    /// <param name="progress">Told the share done.</param> <param name="cancellation">Stops between sounds.</param>
    /// <returns>Null if the data set has no single classification task, or nothing held out.</returns>
    /// <exception cref="FlamingoException">The model, the data set or a sound cannot be read.</exception>
    public static FineTuneReport? Evaluate(string setFolder, string modelFolder, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        var set = DataSet.Open(setFolder);
        if (LabelsOf(setFolder) is not { } labels || new[] { "test", "val" }.FirstOrDefault(set.Splits.Contains) is not { } split)
            return null;
        string task = set.Tasks.Single(t => t.Kind == TaskKind.Classification).Name;
        List<Example> Read(string of) => set.Splits.Contains(of)
            ? [.. set.Of(of).Where(m => m.Task == task).SelectMany(m => set.Read(m).Items).Select(i => i.Value.Examples[^1])] : [];
        var known = Read("train");
        var asked = Read(split);
        if (asked.Count == 0 || known.Count == 0)
            return null;

        using var flamingo = Flamingo.Load(modelFolder);
        var prompt = flamingo.Config.Prompts.Ask(TaskPrompts.ClassifyTuned(labels));
        var vectors = new Dictionary<Example, float[]>(ReferenceEqualityComparer.Instance);
        var answers = new List<(string Expected, string? Answer)>();
        var predictions = new List<Prediction>();
        int done = 0;
        foreach (var batch in asked.Chunk(Batch))
        {
            List<Sound> sounds = [.. batch.Select(e => Hear(flamingo, set, e, vectors, cancellation))];
            try
            {
                var given = flamingo.Answer([.. sounds.Select(s => new Question(prompt, s))], cancellation: cancellation);
                answers.AddRange(batch.Zip(given, (e, a) => (e.Output, labels.FirstOrDefault(l => Same(l, a.Text)))));
                predictions.AddRange(batch.Zip(given, (e, a) => new Prediction(e.Name, set.SoundPath(e.Name), TaskPrompts.ClassifyTuned(labels).Bare!, e.Output, a.Text, Same(a.Text, e.Output))
                {
                    Start = e.AudioStart,
                    Duration = e.AudioDuration,
                }));
            }
            finally
            {
                sounds.ForEach(s => s.Dispose());
            }
            progress?.Invoke((double)(done += batch.Length) / (asked.Count + known.Count));
        }
        foreach (var example in known)
        {
            Hear(flamingo, set, example, vectors, cancellation).Dispose();
            progress?.Invoke((double)++done / (asked.Count + known.Count));
        }
        string most = known.CountBy(e => e.Output).MaxBy(c => c.Value).Key;
        var means = known.GroupBy(e => e.Output).ToDictionary(g => g.Key, g => Mean([.. g.Select(e => vectors[e])]));
        double accuracy = answers.Average(a => a.Answer is not null && Same(a.Answer, a.Expected) ? 1.0 : 0), noLabel = answers.Average(a => a.Answer is null ? 1.0 : 0);
        double mostFrequent = asked.Average(e => e.Output == most ? 1.0 : 0);
        double nearestMean = asked.Average(e => means.MinBy(m => Distance(m.Value, vectors[e])).Key == e.Output ? 1.0 : 0);
        return new FineTuneReport(
            split, asked.Count, accuracy, noLabel, mostFrequent, nearestMean,
            answers.GroupBy(a => a.Expected).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(
                g => g.Key, g => (IReadOnlyDictionary<string, int>)g.CountBy(a => a.Answer ?? "(none)").ToDictionary(c => c.Key, c => c.Value)))
        {
            Row = new()
            {
                Name = $"{task}, {split}",
                Kind = AnswerKind.Label,
                Items = asked.Count,
                Headline = Measures.Exact,
                Scores = new Dictionary<string, double> { [Measures.Exact] = accuracy, [Measures.Unparsed] = noLabel },
                Baselines = new Dictionary<string, IReadOnlyDictionary<string, double>>
                {
                    ["nearest_class_mean"] = new Dictionary<string, double> { [Measures.Exact] = nearestMean },
                    ["most_frequent_answer"] = new Dictionary<string, double> { [Measures.Exact] = mostFrequent },
                },
                Prompt = prompt.Show(flamingo.Tokenizer),
                CutOff = 0,
                Confusion = ConfusionReport.Of(new ConfusionMatrix(answers)),
                Samples = [.. RowReporter.Sampled(predictions)],
            },
        };
    }

    /// <summary>Puts what the model came to on the page about its run, if there is one in its folder.</summary>
    /// <param name="report">What the evaluation found.</param> <param name="modelFolder">The run's folder.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">The run or the model's configuration cannot be read.</exception>
    internal static void AddToPage(FineTuneReport report, string modelFolder, CancellationToken cancellation)
    {
        if (report.Row is not { } row || !File.Exists(Path.Combine(modelFolder, RunSummary.FileName)))
            return;
        var pictures = new SoundPictures(FlamingoConfig.Load(ModelFolder.Open(modelFolder).ConfigPath), cancellation);
        TrainingReport.OfRun(modelFolder).Add(EvaluationSections.Results([row]), new EvaluationSections(pictures.Of).Row(row)).Write(modelFolder);
    }

    private static Sound Hear(Flamingo flamingo, DataSet set, Example example, Dictionary<Example, float[]> vectors, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var sound = flamingo.Hear(set.SoundPath(example.Name), example.AudioStart, example.AudioDuration, cancellation: cancellation);
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var mean = sound.Encodings.mean([0, 1]); // [c]
        float[] vector = mean.to(ScalarType.Float32, CPU).data<float>().ToArray();
        double length = Math.Sqrt(vector.Sum(v => (double)v * v)) + 1e-12;
        vectors[example] = [.. vector.Select(v => (float)(v / length))];
        return sound;
    }

    private static float[] Mean(float[][] vectors) => [.. Enumerable.Range(0, vectors[0].Length).Select(i => vectors.Average(v => v[i]))];

    private static double Distance(float[] a, float[] b) => a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum();

    private static bool Same(string a, string b) =>
        string.Equals(a.Trim().TrimEnd('.').Trim(), b.Trim().TrimEnd('.').Trim(), StringComparison.OrdinalIgnoreCase);
}
