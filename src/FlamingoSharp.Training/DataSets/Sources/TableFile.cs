using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>
/// A CSV or JSON Lines file of a user: <c>path</c>, and <c>label</c>, <c>labels</c>, <c>caption</c>, or <c>question</c> with <c>answer</c> (and
/// <c>choices</c>, <c>type</c>); optionally <c>split</c>, <c>start</c>, <c>duration</c> (seconds) and <c>group</c>.
/// </summary>
/// <remarks>Paths are relative to the table's folder, or absolute.</remarks>
internal sealed class TableFile(string file) : IDataSource
{
    public string Name => SetName.From(Path.GetFileNameWithoutExtension(file));

    public SourceContent Read(string name, string outFolder, Action<double> progress, CancellationToken cancellation)
    {
        TableRow[] rows = [.. Table.Read(file)];
        if (rows.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{file}' holds no rows below its header.");
        CheckColumns(rows);
        List<DataSetTask> tasks = [];
        List<SourceExample> examples = [.. Labelled(name, rows, tasks), .. Tagged(name, rows, tasks), .. Captioned(name, rows, tasks), .. Asked(name, rows, tasks)];
        return new() { Tasks = tasks, Examples = examples };
    }

    private static void CheckColumns(TableRow[] rows)
    {
        foreach (var row in rows)
        {
            row.Text("path");
            bool hasQuestion = row.Has("question"), hasAnswer = row.Has("answer");
            if (hasQuestion != hasAnswer)
                throw row.Wrong(hasQuestion ? "answer" : "question", $"is empty, but '{(hasQuestion ? "question" : "answer")}' is not; give both");
            if (!hasQuestion && !row.Has("label") && !row.Has("labels") && !row.Has("caption"))
            {
                throw new FlamingoException(FlamingoErrorKind.Input,
                    $"{row.Place}: there is nothing to learn; expected one of the columns label, labels, caption, or question and answer, but found {string.Join(", ", row.Cells.Keys)}.");
            }
        }
    }

    private IEnumerable<SourceExample> Labelled(string name, TableRow[] rows, List<DataSetTask> tasks)
    {
        rows = [.. rows.Where(r => r.Has("label"))];
        if (rows.Length == 0)
            return [];
        var task = TaskWording.Classification($"{name}-SoundClassification", rows.Select(r => r.Text("label").Trim()));
        string prompt = TaskWording.PromptOf(task);
        tasks.Add(task);
        return rows.Select(r => Source(task, r, TaskWording.Labelled(task, prompt, PathOf(r), r.Text("label").Trim()), stratum: r.Text("label").Trim()));
    }

    private IEnumerable<SourceExample> Tagged(string name, TableRow[] rows, List<DataSetTask> tasks)
    {
        rows = [.. rows.Where(r => r.Has("labels"))];
        if (rows.Length == 0)
            return [];
        var task = new DataSetTask($"{name}-EventClassification", TaskKind.Tagging)
        {
            Question = TaskPrompts.Tags.Prompt,
            Labels = [.. rows.SelectMany(r => r.List("labels")).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
        };
        tasks.Add(task);
        return rows.Select(r => Source(task, r, TaskWording.Tagged(PathOf(r), r.List("labels")), stratum: r.List("labels")[0]));
    }

    private IEnumerable<SourceExample> Captioned(string name, TableRow[] rows, List<DataSetTask> tasks)
    {
        rows = [.. rows.Where(r => r.Has("caption"))];
        if (rows.Length == 0)
            return [];
        var task = new DataSetTask($"{name}-AudioCaptioning", TaskKind.Captioning) { Question = TaskPrompts.Caption.Prompt };
        tasks.Add(task);
        var all = rows.ToLookup(r => (PathOf(r), r.Seconds("start")), r => r.Text("caption").Trim());
        return rows.Select(r => Source(task, r, TaskWording.Captioned(PathOf(r), r.Text("caption").Trim(), [.. all[(PathOf(r), r.Seconds("start"))]])));
    }

    private IEnumerable<SourceExample> Asked(string name, TableRow[] rows, List<DataSetTask> tasks)
    {
        rows = [.. rows.Where(r => r.Has("question"))];
        if (rows.Length == 0)
            return [];
        var task = new DataSetTask($"{name}-AQA", TaskKind.Questions);
        tasks.Add(task);
        return rows.Select(r =>
        {
            string answer = r.Text("answer").Trim();
            var choices = r.List("choices");
            if (choices.Count > 0 && !choices.Contains(answer, StringComparer.OrdinalIgnoreCase))
                throw r.Wrong("answer", $"is '{answer}', which is none of the choices {string.Join(", ", choices)}");
            return Source(task, r, TaskWording.Asked(PathOf(r), r.Text("question"), answer, choices, r.TextOr("type", "")));
        });
    }

    private static SourceExample Source(DataSetTask task, TableRow row, Example example, string stratum = "")
    {
        string split = row.TextOr("split", "").Trim();
        if (split.Length > 0 && !split.All(c => char.IsLetterOrDigit(c) || c is '_' or '-'))
            throw row.Wrong("split", $"is '{split}'; expected train, val, test or another word");
        return new(task.Name, split, example with { AudioStart = row.Seconds("start") ?? 0, AudioDuration = row.Seconds("duration") })
        {
            Stratum = stratum,
            Group = row.TextOr("group", ""),
            Place = row.Place,
        };
    }

    private string PathOf(TableRow row) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, row.Text("path")));
}
