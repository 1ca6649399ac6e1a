using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>An example on its way into a data set.</summary>
/// <param name="Task">The task that it belongs to, <c>Dataset-Task</c>.</param>
/// <param name="Split">train, val, test …; empty where the source leaves that to us.</param>
/// <param name="Example">What will stand in the manifest; its name is still the absolute path of the recording.</param>
internal sealed record SourceExample(string Task, string Split, Example Example)
{
    /// <summary>What every split is to hold its share of: the class, where there is one.</summary>
    public string Stratum { get; init; } = "";

    /// <summary>Examples of one group stay in one split, e.g. those of one speaker; empty where each stands for itself.</summary>
    public string Group { get; init; } = "";

    /// <summary>Where the source says so, for messages, e.g. a line of a table; empty where the recording's path says enough.</summary>
    public string Place { get; init; } = "";
}

/// <summary>What a source holds.</summary>
internal sealed record SourceContent
{
    /// <summary>The tasks, in the order in which the data set lists them.</summary>
    public required IReadOnlyList<DataSetTask> Tasks { get; init; }

    /// <summary>The examples.</summary>
    public required IReadOnlyList<SourceExample> Examples { get; init; }

    /// <summary>What was passed over while reading.</summary>
    public IReadOnlyList<LeftOut> LeftOut { get; init; } = [];

    /// <summary>Markdown that names where the recordings come from and under which licences; null where the source does not say.</summary>
    public string? Attribution { get; init; }
}

/// <summary>Something that a data set can be made from.</summary>
internal interface IDataSource
{
    /// <summary>What the data set is called unless told otherwise.</summary>
    string Name { get; }

    /// <summary>Reads what there is to hear and to learn.</summary>
    /// <param name="name">The data set's name, with which the names of its tasks begin.</param>
    /// <param name="outFolder">Where the data set is made; a source that renders sounds puts them into its folder <c>audio</c>.</param>
    /// <param name="progress">Told while it takes long, from 0 to 1.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="FlamingoException">The source is missing, or nothing of it can be used.</exception>
    SourceContent Read(string name, string outFolder, Action<double> progress, CancellationToken cancellation);
}
