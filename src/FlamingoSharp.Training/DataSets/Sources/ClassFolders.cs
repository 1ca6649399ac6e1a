namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>A folder with a folder of sounds for each class, or such a folder for each split: <c>DIR/dog/1.wav</c>, <c>DIR/train/dog/1.wav</c>.</summary>
/// <remarks>Captions may lie beside the sounds (<c>1.txt</c> beside <c>1.wav</c>), or in <c>DIR/captions.csv</c> or <c>.jsonl</c> (path, caption).</remarks>
internal sealed class ClassFolders(string folder) : IDataSource
{
    private static readonly Dictionary<string, string> s_splits = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = "train",
        ["training"] = "train",
        ["val"] = "val",
        ["valid"] = "val",
        ["validation"] = "val",
        ["dev"] = "val",
        ["test"] = "test",
        ["testing"] = "test",
        ["eval"] = "test",
        ["evaluation"] = "test",
    };

    private sealed record Sound(string Path, string Label, string Split);

    public string Name => SetName.From(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))));

    public SourceContent Read(string name, string outFolder, Action<double> progress, CancellationToken cancellation)
    {
        List<LeftOut> leftOut = [];
        var sounds = Find(leftOut);
        string[] labels = [.. sounds.Select(s => s.Label).Distinct(StringComparer.Ordinal)];
        if (labels.Length < 2)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, labels.Length == 0
                ? $"'{folder}' holds no class folders: expected a folder of sound files for each class, e.g. '{Path.Combine(folder, "dog", "1.wav")}'."
                : $"'{folder}' holds one class, '{labels[0]}': expected a folder of sound files for each of at least two classes.");
        }
        var task = TaskWording.Classification($"{name}-SoundClassification", labels);
        string prompt = TaskWording.PromptOf(task);
        List<DataSetTask> tasks = [task];
        List<SourceExample> examples = [.. sounds.Select(s => new SourceExample(task.Name, s.Split, TaskWording.Labelled(task, prompt, s.Path, s.Label)) { Stratum = s.Label })];
        var captions = Captions(name, sounds, leftOut);
        if (captions.Count > 0)
        {
            tasks.Add(new($"{name}-AudioCaptioning", TaskKind.Captioning));
            examples.AddRange(captions);
        }
        return new() { Tasks = tasks, Examples = examples, LeftOut = leftOut };
    }

    private List<Sound> Find(List<LeftOut> leftOut)
    {
        if (!Directory.Exists(folder))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no folder '{folder}'; check the path.");
        string[] below = Folders(folder);
        bool bySplit = below.Length > 0 && below.All(b => s_splits.ContainsKey(Path.GetFileName(b)) && Folders(b).Length > 0);
        List<Sound> sounds = [];
        foreach (var (classFolder, split) in bySplit ? below.SelectMany(b => Folders(b).Select(c => (c, s_splits[Path.GetFileName(b)]))) : below.Select(b => (b, "")))
        {
            int before = sounds.Count;
            string label = TaskWording.LabelOf(Path.GetFileName(classFolder));
            sounds.AddRange(SoundNames.Below(classFolder).Select(path => new Sound(path, label, split)));
            if (sounds.Count == before)
                leftOut.Add(new(classFolder, "holds no sound files", IsFault: false));
        }
        return sounds;
    }

    private List<SourceExample> Captions(string name, List<Sound> sounds, List<LeftOut> leftOut)
    {
        var captions = sounds.ToDictionary(s => s.Path, _ => new List<string>(), StringComparer.Ordinal);
        foreach (var sound in sounds)
        {
            string beside = Path.ChangeExtension(sound.Path, ".txt");
            if (File.Exists(beside) && File.ReadAllText(beside).Trim() is { Length: > 0 } text)
                captions[sound.Path].Add(text);
        }
        foreach (string table in new[] { "captions.csv", "captions.jsonl" }.Select(t => Path.Combine(folder, t)).Where(File.Exists))
        {
            foreach (var row in Table.Read(table))
            {
                string path = Path.GetFullPath(Path.Combine(folder, row.Text("path")));
                if (captions.TryGetValue(path, out var list))
                    list.Add(row.Text("caption"));
                else
                    leftOut.Add(new(row.Place, $"names '{row.Text("path")}', which is no sound of a class folder", IsFault: true));
            }
        }
        return [.. sounds.SelectMany(s => captions[s.Path].Select(caption => new SourceExample(
            $"{name}-AudioCaptioning", s.Split, TaskWording.Captioned(s.Path, caption, captions[s.Path])) { Stratum = s.Label }))];
    }

    // A data set that was made inside the folder is no class.
    private static string[] Folders(string folder) =>
        [.. Directory.GetDirectories(folder).Where(d => !Path.GetFileName(d).StartsWith('.') && !File.Exists(Path.Combine(d, DataSet.FileName)))
            .Select(Path.GetFullPath).Order(StringComparer.Ordinal)];
}
