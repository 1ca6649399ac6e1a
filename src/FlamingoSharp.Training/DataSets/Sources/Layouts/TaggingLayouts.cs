using System.Text.Json;

namespace FlamingoSharp.Training.DataSets.Sources.Layouts;

/// <summary>Data sets with several labels for each sound.</summary>
internal static class TaggingLayouts
{
    private const string SpecificToGeneral = "describe this sound in the order from specific to general.", Qualities = "what are the qualities of the music?";

    public static IReadOnlyList<Layout> All { get; } =
    [
        new("fsd50k", "FSD50k", "FSD50K.ground_truth with dev.csv and eval.csv, FSD50K.dev_audio, FSD50K.eval_audio", Fsd50k),
        new("nsynth", "NSynth", "nsynth-train, nsynth-valid and nsynth-test, each with examples.json and audio", NSynth),
    ];

    // Labels stand from the most specific to the most general.
    private static LayoutContent Fsd50k(LayoutFolder root)
    {
        List<(string Path, string Split, string[] Labels)> sounds = [];
        foreach (var (path, part) in root.Splits((["FSD50K.ground_truth/dev.csv"], "dev"), (["FSD50K.ground_truth/eval.csv"], "eval")))
        {
            sounds.AddRange(Table.Read(path).Select(r => (
                root.Sound($"FSD50K.{part}_audio/{r.Text("fname")}.wav"),
                part == "eval" ? SplitAssignment.Test : r.Text("split"),
                r.Text("labels").Split(',').Select(TaskWording.LabelOf).ToArray())));
        }
        var task = Tagging("FSD50k-EventClassification", SpecificToGeneral, sounds.Select(s => s.Labels));
        return new([task], [.. sounds.Select(s => new SourceExample(task.Name, s.Split, TaskWording.Tagged(s.Path, s.Labels, task.Question)))]);
    }

    private static LayoutContent NSynth(LayoutFolder root)
    {
        List<(string Path, string Split, JsonElement Note)> notes = [];
        foreach (var (folder, split) in root.Splits((["nsynth-train"], SplitAssignment.Train), (["nsynth-valid"], SplitAssignment.Validation), (["nsynth-test"], SplitAssignment.Test)))
        {
            string table = root.Need($"{Path.GetFileName(folder)}/examples.json");
            notes.AddRange(LayoutFolder.Json(table).EnumerateObject().Select(n => (root.Sound($"{Path.GetFileName(folder)}/audio/{n.Name}.wav"), split, n.Value)));
        }
        static string Family(JsonElement note) => note.GetProperty("instrument_family_str").GetString()!;
        static string Source(JsonElement note) => note.GetProperty("instrument_source_str").GetString()!;
        static string[] QualitiesOf(JsonElement note) => [.. note.GetProperty("qualities_str").EnumerateArray().Select(q => TaskWording.LabelOf(q.GetString()!))];

        var families = ClassificationLayouts.TaskOf("NSynth-InstrClassification", notes.Select(n => Family(n.Note)));
        var sources = ClassificationLayouts.TaskOf("NSynth-SourceClassification", notes.Select(n => Source(n.Note)));
        var qualities = Tagging("NSynth-QualityClassification", Qualities, notes.Select(n => QualitiesOf(n.Note)));
        string familyPrompt = TaskWording.PromptOf(families), sourcePrompt = TaskWording.PromptOf(sources);
        return new([families, sources, qualities],
        [
            .. notes.Select(n => new SourceExample(families.Name, n.Split, TaskWording.Labelled(families, familyPrompt, n.Path, Family(n.Note)))),
            .. notes.Select(n => new SourceExample(sources.Name, n.Split, TaskWording.Labelled(sources, sourcePrompt, n.Path, Source(n.Note)))),
            // A note without qualities has nothing to answer.
            .. notes.Where(n => QualitiesOf(n.Note).Length > 0)
                .Select(n => new SourceExample(qualities.Name, n.Split, TaskWording.Tagged(n.Path, QualitiesOf(n.Note), qualities.Question))),
        ]);
    }

    private static DataSetTask Tagging(string name, string question, IEnumerable<string[]> labels) => new(name, TaskKind.Tagging)
    {
        Question = question,
        Labels = [.. labels.SelectMany(l => l).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
    };
}
