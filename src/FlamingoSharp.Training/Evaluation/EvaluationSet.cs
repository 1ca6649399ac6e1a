using System.Text.Json;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>What is asked in an evaluation, and what the training split would have taught.</summary>
/// <param name="Path">The data set or manifest.</param> <param name="Split">Its split.</param>
/// <param name="Rows">The questions.</param> <param name="Training">The training split's questions by the names of the rows; none where there is no training split.</param>
internal sealed record EvaluationSet(string Path, string Split, IReadOnlyList<EvaluationRow> Rows, IReadOnlyList<EvaluationRow> Training)
{
    private const string TrainingSplit = "train";

    /// <summary>Reads what the options name.</summary>
    /// <exception cref="FlamingoException">It is missing or corrupt, has nothing to ask, or a preset does not fit it.</exception>
    public static EvaluationSet Open(EvaluationOptions options)
    {
        IReadOnlyList<EvaluationPreset> presets = [.. options.Presets.Select(EvaluationPreset.Find)];
        var (split, manifests, training) = File.Exists(options.Data) ? OfFile(options) : OfFolder(options);
        EvaluationRow[] rows = [.. RowsOf(manifests, presets, options, options.Dialogues).Select(r => options.Limit is { } most ? r with { Items = Spread.Over(r.Items, most) } : r)];
        if (rows.All(r => r.Items.Count == 0))
        {
            throw new FlamingoException(FlamingoErrorKind.Input, presets.Count > 0
                ? $"'{options.Data}' has no items for {string.Join(", ", presets.Select(p => p.Name))}; check the preset, or leave it out."
                : $"'{options.Data}' has no items to be asked about.");
        }
        if (options.Dialogues && rows.All(r => r.Kind != AnswerKind.Consistency))
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"'{options.Data}' has no questions of the types {string.Join(", ", DialogueConsistency.Types)}, after which dialogues go on; leave --dialogues out.");
        }
        bool compares = options.Baselines != BaselineChoice.None;
        return new(options.Data, split, rows, compares ? [.. RowsOf(training, presets, options, dialogues: false)] : []);
    }

    private static IEnumerable<EvaluationRow> RowsOf(
        List<(ManifestFacts Facts, Manifest Manifest)> manifests, IReadOnlyList<EvaluationPreset> presets, EvaluationOptions options, bool dialogues)
    {
        var wanted = presets.Count > 0 ? presets : EvaluationPreset.All;
        // Of a folder's manifests a preset takes those that its names fit best.
        var best = wanted.ToDictionary(p => p.Name, p => manifests.Select(m => p.Fit(m.Manifest.Task)).DefaultIfEmpty(0).Max());
        IReadOnlyList<EvaluationPreset> Of(Manifest manifest) => [.. EvaluationPreset.Of(manifest.Task, wanted).Where(p => p.Fit(manifest.Task) == best[p.Name])];
        var named = presets.Count == 0 ? manifests : [.. manifests.Where(m => Of(m.Manifest).Count > 0)];
        if (named.Count > 0)
            return Joined(named.SelectMany(m => EvaluationRows.Of(m.Facts, m.Manifest, Of(m.Manifest), options.Free, dialogues)));
        // A manifest of one's own name is taken as what the preset says, if there is no doubt which one is meant.
        return manifests.Count <= 1 ? manifests.SelectMany(m => EvaluationRows.Of(m.Facts, m.Manifest, presets, options.Free, dialogues))
            : throw new FlamingoException(FlamingoErrorKind.Usage,
                $"None of the {manifests.Count} manifests of '{options.Data}' is called as those of {string.Join(", ", presets.Select(p => p.Name))} are; name one manifest instead of the folder.");
    }

    private static IEnumerable<EvaluationRow> Joined(IEnumerable<EvaluationRow> rows) =>
        rows.GroupBy(r => (r.Name, r.Kind)).Select(g => g.First() with { Items = [.. g.SelectMany(r => r.Items)] });

    private static (string, List<(ManifestFacts, Manifest)>, List<(ManifestFacts, Manifest)>) OfFile(EvaluationOptions options)
    {
        string path = System.IO.Path.GetFullPath(options.Data);
        string split = System.IO.Path.GetFileNameWithoutExtension(path), task = System.IO.Path.GetDirectoryName(path)!;
        string root = System.IO.Path.GetDirectoryName(task) ?? task;
        string name = $"{System.IO.Path.GetFileName(task)}/{split}", train = $"{System.IO.Path.GetFileName(task)}/{TrainingSplit}";
        bool hasTrain = split != TrainingSplit && File.Exists(System.IO.Path.Combine(root, train + ".json"));
        return (split, [Read(root, name, options)], hasTrain ? [Read(root, train, options)] : []);
    }

    private static (string, List<(ManifestFacts, Manifest)>, List<(ManifestFacts, Manifest)>) OfFolder(EvaluationOptions options)
    {
        if (!Directory.Exists(options.Data))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no data set or manifest '{options.Data}'; check the path.");
        string root = System.IO.Path.GetFullPath(options.Data);
        List<(ManifestFacts, Manifest)> Of(string split) =>
            [.. Directory.GetDirectories(root).Order(StringComparer.Ordinal).Select(d => $"{System.IO.Path.GetFileName(d)}/{split}")
                .Where(n => File.Exists(System.IO.Path.Combine(root, n + ".json"))).Select(n => Read(root, n, options))];
        var asked = Of(options.Split);
        if (asked.Count == 0)
        {
            throw new FlamingoException(FlamingoErrorKind.Input,
                $"'{options.Data}' has no manifest of the split '{options.Split}': expected Dataset-Task/{options.Split}.json below it.");
        }
        return (options.Split, asked, options.Split == TrainingSplit ? [] : Of(TrainingSplit));
    }

    private static (ManifestFacts, Manifest) Read(string root, string name, EvaluationOptions options)
    {
        var open = Manifest.InFolder(root);
        // Names of recordings are read relative to the manifest's own folder of recordings, wherever that is now.
        string recordings = open(name) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("dataset_path", out var path) ? path.GetString() ?? "" : "";
        string folder = options.DataRoot ?? System.IO.Path.Combine(root, recordings);
        var facts = new ManifestFacts(name, n => System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, n)));
        return (OfDataSet(root, facts), Manifest.Read(name, recordings, open));
    }

    // A data set says what its tasks want.
    private static ManifestFacts OfDataSet(string root, ManifestFacts facts)
    {
        if (!File.Exists(System.IO.Path.Combine(root, DataSet.FileName)))
            return facts;
        string name = facts.Name[..facts.Name.IndexOf('/', StringComparison.Ordinal)];
        if (DataSet.Open(root).Tasks.FirstOrDefault(t => t.Name == name) is not { } task)
            return facts;
        return facts with
        {
            AsWritten = true,
            Labels = task.Labels,
            Kind = task.Kind switch
            {
                TaskKind.Classification => AnswerKind.Label,
                TaskKind.Tagging => AnswerKind.Labels,
                TaskKind.Captioning => AnswerKind.Caption,
                TaskKind.Dialogue => AnswerKind.Dialogue,
                _ => null, // questions are of any kind
            },
        };
    }
}

/// <summary>A few of many.</summary>
internal static class Spread
{
    /// <summary>At most so many, evenly from the first to the last, in their order.</summary>
    public static IReadOnlyList<T> Over<T>(IReadOnlyList<T> items, int most) =>
        items.Count <= most ? items : [.. Enumerable.Range(0, most).Select(i => items[(int)((long)i * items.Count / most)])];
}
