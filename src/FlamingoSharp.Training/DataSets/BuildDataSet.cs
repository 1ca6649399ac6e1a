using FlamingoSharp.Audio;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets.Sources;
using FlamingoSharp.Training.DataSets.Sources.Layouts;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.DataSets;

/// <summary>Where a data set goes and how it is dealt out.</summary>
public sealed record BuildDataSetOptions
{
    /// <summary>The folder to make.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>What it is called; null takes the name of the source.</summary>
    public string? Name { get; init; }

    /// <summary>How examples are dealt out that come without a split.</summary>
    public SplitOptions Splits { get; init; } = new();
}

/// <summary>Something of a source that is not in the data set.</summary>
/// <param name="What">A file, line, recipe or question.</param>
/// <param name="Reason">Why, a clause without capital or full stop.</param>
/// <param name="IsFault">True where something is broken, false where a rule leaves it out.</param>
public sealed record LeftOut(string What, string Reason, bool IsFault);

/// <summary>A data set that was made.</summary>
/// <param name="Set">It.</param>
/// <param name="LeftOut">What of the source is not in it.</param>
/// <param name="Notes">What the maker should know, a sentence each: classes that are missing from a split.</param>
public sealed record BuiltDataSet(DataSet Set, IReadOnlyList<LeftOut> LeftOut, IReadOnlyList<string> Notes);

/// <summary>Makes data sets.</summary>
public static class BuildDataSet
{
    // Above this many sounds likeness is not looked for, only equal content: every pair of about one length is compared.
    private const int MostCompared = 20_000;

    /// <summary>From a folder of class folders, a CSV or JSON Lines file.</summary>
    /// <param name="path">The folder or file.</param>
    /// <param name="options">Where to, and how.</param>
    /// <param name="progress">Told while it takes long, from 0 to 1.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="FlamingoException">The source is missing or of another form, nothing in it can be used, or the output folder holds other files.</exception>
    public static BuiltDataSet From(string path, BuildDataSetOptions options, Action<double>? progress = null, CancellationToken cancellation = default) =>
        Run(File.Exists(path) ? new TableFile(path) : new ClassFolders(path), options, progress, cancellation);

    /// <summary>From the files of a sound catalogue.</summary>
    /// <inheritdoc cref="From(string, BuildDataSetOptions, Action{double}?, CancellationToken)"/>
    /// <param name="files">The files.</param>
    /// <param name="options">Where to, and how.</param>
    /// <param name="progress">Told while it takes long, from 0 to 1.</param>
    /// <param name="cancellation">Stops the work; the next run goes on with what is rendered.</param>
    public static BuiltDataSet From(
        CatalogueFilesOptions files, BuildDataSetOptions options, Action<double>? progress = null, CancellationToken cancellation = default) =>
        Run(new CatalogueFiles(files), options, progress, cancellation);

    /// <summary>From a published data set as its archives unpack.</summary>
    /// <inheritdoc cref="From(string, BuildDataSetOptions, Action{double}?, CancellationToken)"/>
    /// <param name="layout">One of <see cref="Layouts"/>.</param>
    /// <param name="folder">Where it was unpacked.</param>
    /// <param name="options">Where to, and how.</param>
    /// <param name="progress">Told while it takes long, from 0 to 1.</param>
    /// <param name="cancellation">Stops the work.</param>
    public static BuiltDataSet FromLayout(
        string layout, string folder, BuildDataSetOptions options, Action<double>? progress = null, CancellationToken cancellation = default) =>
        Run(new LayoutSource(Layout.Find(layout), folder), options, progress, cancellation);

    /// <summary>The published data sets that can be read: their names, and what their folders hold.</summary>
    public static IReadOnlyList<(string Name, string Folder)> Layouts => [.. Layout.All.Select(l => (l.Name, l.Folder))];

    internal static BuiltDataSet Run(IDataSource source, BuildDataSetOptions options, Action<double>? progress, CancellationToken cancellation)
    {
        options.Splits.Validate();
        string folder = options.OutputFolder, name = SetName.Checked(options.Name ?? source.Name);
        bool existed = Directory.Exists(folder);
        DataSetWriter.Begin(folder, name);
        try
        {
            var content = source.Read(name, folder, progress ?? (_ => { }), cancellation);
            List<LeftOut> leftOut = [.. content.LeftOut];
            var examples = Usable(content.Examples, leftOut);
            examples = WithSplits(examples, options.Splits, leftOut, progress, cancellation);
            if (examples.Count == 0)
                throw new FlamingoException(FlamingoErrorKind.Input, $"Nothing of the source can be used. {First(leftOut)}");
            var manifests = Write(folder, content.Tasks, examples);
            if (content.Attribution is { } attribution)
                AtomicFile.Write(Path.Combine(folder, "SOURCES.md"), file => file.Write(System.Text.Encoding.UTF8.GetBytes(attribution)));
            DataSetWriter.End(folder, name, [.. content.Tasks.Where(t => manifests.Any(m => m.Task == t.Name))], manifests);
            return new(DataSet.Open(folder), leftOut, [.. Notes(content.Tasks, examples)]);
        }
        catch (Exception e) when (!existed && e is not OperationCanceledException) // rendering goes on where it was stopped
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    // Files are looked at from outside here; 'data validate' reads each to its end.
    private static List<SourceExample> Usable(IReadOnlyList<SourceExample> examples, List<LeftOut> leftOut)
    {
        Dictionary<string, string?> faults = new(StringComparer.Ordinal);
        List<SourceExample> usable = [];
        foreach (var example in examples)
        {
            string path = example.Example.Name;
            bool known = faults.TryGetValue(path, out string? fault);
            if (!known)
                faults[path] = fault = FaultOf(path);
            if (fault is null)
                usable.Add(example);
            else if (!known)
                leftOut.Add(new(example.Place.Length > 0 ? $"{example.Place}: '{path}'" : path, fault, IsFault: true));
        }
        return usable;
    }

    private static string? FaultOf(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            byte[] head = new byte[SoundFormat.HeadBytes];
            int count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            return count == 0 ? "is empty: 0 bytes" : SoundFormat.Detect(head.AsSpan(0, count)) == SoundFormat.Text ? "holds text, not sound" : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return "does not exist";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"cannot be opened ({e.Message.TrimEnd('.')})";
        }
    }

    private static List<SourceExample> WithSplits(
        List<SourceExample> examples, SplitOptions options, List<LeftOut> leftOut, Action<double>? progress, CancellationToken cancellation)
    {
        var open = examples.Where(e => e.Split.Length == 0).GroupBy(e => e.Example.Name, StringComparer.Ordinal).ToList();
        if (open.Count == 0)
            return examples;
        var facts = SoundFacts.Of([.. open.Select(o => new Stretch(o.Key))], open.Count <= MostCompared, progress, cancellation);
        leftOut.AddRange(facts.Where(f => f.Error is not null).Select(f => new LeftOut(f.Stretch.Path, f.Error!.Replace($"'{f.Stretch.Path}' ", "", StringComparison.Ordinal).TrimEnd('.'), IsFault: true)));

        int[] readable = [.. Enumerable.Range(0, facts.Length).Where(i => facts[i].Error is null)];
        int[] alike = NearDuplicates.Groups([.. readable.Select(i => facts[i])]);
        Dictionary<string, int> named = new(StringComparer.Ordinal);
        SplitUnit[] units = [.. readable.Select((i, place) =>
        {
            var first = open[i].First();
            // A group that the source names counts more than likeness.
            int group = first.Group.Length == 0 ? alike[place] : named.TryGetValue(first.Group, out int known) ? known : named[first.Group] = -1 - named.Count;
            return new SplitUnit(facts[i].Hash, group, first.Stratum);
        })];
        string[] splits = SplitAssignment.Of(units, options);
        var splitOf = readable.Zip(splits).ToDictionary(s => open[s.First].Key, s => s.Second, StringComparer.Ordinal);
        return [.. examples.Where(e => e.Split.Length > 0 || splitOf.ContainsKey(e.Example.Name))
            .Select(e => e.Split.Length > 0 ? e : e with { Split = splitOf[e.Example.Name] })];
    }

    private static List<DataSetManifest> Write(string folder, IReadOnlyList<DataSetTask> tasks, List<SourceExample> examples)
    {
        string root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        List<DataSetManifest> manifests = [];
        foreach (var task in tasks)
        {
            foreach (var split in examples.Where(e => e.Task == task.Name).GroupBy(e => e.Split, StringComparer.Ordinal).OrderBy(s => Rank(s.Key)))
            {
                var written = split.Select(e => e.Example);
                // Captions of one recording are learnt one by one, but asked for once.
                if (task.Kind == TaskKind.Captioning && split.Key != SplitAssignment.Train)
                    written = written.DistinctBy(e => (e.Name, e.AudioStart, e.Prompt));
                Example[] list = [.. written.Select(e => e.Name.StartsWith(root, StringComparison.Ordinal) ? e with { Name = e.Name[root.Length..] } : e)];
                ManifestWriter.Write(folder, task.Name, split.Key, list);
                manifests.Add(new(task.Name, split.Key, list.Length));
            }
        }
        return manifests;
    }

    private static int Rank(string split) => split switch { SplitAssignment.Train => 0, SplitAssignment.Validation => 1, SplitAssignment.Test => 2, _ => 3 };

    private static IEnumerable<string> Notes(IReadOnlyList<DataSetTask> tasks, List<SourceExample> examples)
    {
        foreach (var task in tasks.Where(t => t.Kind == TaskKind.Classification))
        {
            foreach (var split in examples.Where(e => e.Task == task.Name).GroupBy(e => e.Split, StringComparer.Ordinal).OrderBy(s => Rank(s.Key)))
            {
                string[] missing = [.. task.Labels.Except(split.Select(e => e.Example.Output), StringComparer.Ordinal)];
                if (missing.Length > 0)
                    yield return $"The split '{split.Key}' of {task.Name} has no sound of {Few(missing)}: too few sounds, or too many that are nearly the same.";
            }
        }
    }

    private static string Few(string[] labels) =>
        string.Join(", ", labels.Take(5).Select(l => $"'{l}'")) + (labels.Length > 5 ? $" and {labels.Length - 5} more labels" : "");

    private static string First(List<LeftOut> leftOut) => leftOut.FirstOrDefault(l => l.IsFault) is { } fault
        ? $"Of {leftOut.Count} faults the first: {fault.What} {fault.Reason}."
        : "It has no sounds; check what was named.";
}
