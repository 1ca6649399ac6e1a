using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets;

/// <summary>What is wrong with an item of a manifest.</summary>
public enum DataFaultKind
{
    /// <summary>The manifest itself cannot be read, or states another number of items than it has.</summary>
    Manifest,

    /// <summary>The recording does not exist.</summary>
    Missing,

    /// <summary>The recording cannot be read, or ends before the stretch that is meant.</summary>
    Unreadable,

    /// <summary>The recording is shorter than asked for.</summary>
    TooShort,

    /// <summary>Every sample that a model would hear is 0.</summary>
    Silent,

    /// <summary>Two files of one split have the same content.</summary>
    Duplicate,

    /// <summary>The same content is in two splits: what is tested was learnt.</summary>
    Leak,

    /// <summary>Nearly the same sound is in two splits.</summary>
    NearLeak,

    /// <summary>There is nothing to answer, or nothing is asked.</summary>
    EmptyText,

    /// <summary>The right answer is not among those to choose from.</summary>
    AnswerNotAmongChoices,

    /// <summary>The answer is none of the task's labels.</summary>
    UnknownLabel,

    /// <summary>The text has more tokens than one is trained on, so that its answer is cut off.</summary>
    TooLong,
}

/// <summary>A fault of a data set.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Manifest">The manifest, <c>Dataset-Task/split</c>.</param>
/// <param name="Item">The item's key; null where the manifest as a whole is meant.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="IsError">False where training and scores are not harmed, only perhaps not what was meant.</param>
public sealed record DataFault(DataFaultKind Kind, string Manifest, string? Item, string Message, bool IsError);

/// <summary>How much there is in a manifest.</summary>
/// <param name="Name"><c>Dataset-Task/split</c>.</param>
/// <param name="Items">Items.</param>
/// <param name="Sounds">Different stretches of recordings that can be read.</param>
/// <param name="Minutes">Their length together, up to 30 s of each counted as heard.</param>
public sealed record CheckedManifest(string Name, int Items, int Sounds, double Minutes);

/// <summary>What a check found.</summary>
/// <param name="Manifests">What was looked at.</param>
/// <param name="Faults">What is wrong, in the order of the manifests.</param>
public sealed record DataSetReport(IReadOnlyList<CheckedManifest> Manifests, IReadOnlyList<DataFault> Faults)
{
    /// <summary>Faults that must be mended.</summary>
    public int Errors => Faults.Count(f => f.IsError);

    /// <summary>Faults that may be meant.</summary>
    public int Warnings => Faults.Count(f => !f.IsError);
}

/// <summary>What is looked for.</summary>
public sealed record ValidateDataSetOptions
{
    /// <summary>Shorter recordings are faults, in seconds; 0.05 is two transforms of the encoder.</summary>
    public double MinimumSeconds { get; init; } = 0.05;

    /// <summary>Counts tokens; null leaves the lengths of texts alone.</summary>
    public Tokenizer? Tokenizer { get; init; }

    /// <summary>Tokens of a text at most.</summary>
    public int MaxTokens { get; init; } = SampleComposer.MaxTokens;

    /// <summary>True also looks for sounds that are nearly the same in different splits.</summary>
    public bool NearDuplicates { get; init; }

    /// <summary>The folder below which manifests that belong to no data set say their recordings lie; null takes the file system's root.</summary>
    public string? DataRoot { get; init; }
}

/// <summary>Checks manifests and every recording behind them.</summary>
public static class ValidateDataSet
{
    /// <summary>Checks a data set, or one manifest.</summary>
    /// <param name="path">A folder that <c>flamingo data build</c> made, or a manifest's file <c>…/Dataset-Task/split.json</c>.</param>
    /// <param name="options">What to look for.</param>
    /// <param name="progress">Told the share of recordings that was read.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <exception cref="FlamingoException">There is no such data set or manifest.</exception>
    public static DataSetReport Run(string path, ValidateDataSetOptions options, Action<double>? progress = null, CancellationToken cancellation = default)
    {
        var opened = OpenedManifests.Open(path, options.DataRoot);
        List<DataFault> faults = [.. opened.Faults];
        var texts = new TextCheck(options);
        foreach (var manifest in opened.Manifests)
            faults.AddRange(texts.Faults(manifest));
        var sounds = SoundCheck.Read(opened, options.NearDuplicates, progress, cancellation);
        faults.AddRange(sounds.Faults(options.MinimumSeconds));
        var order = opened.Manifests.Select((m, i) => (m.Name, i)).ToDictionary(m => m.Name, m => m.i, StringComparer.Ordinal);
        return new(
            [.. opened.Manifests.Select(sounds.Summary)],
            [.. faults.OrderBy(f => order.GetValueOrDefault(f.Manifest, -1)).ThenBy(f => f.Kind)]);
    }
}
