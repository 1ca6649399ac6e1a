namespace FlamingoSharp.Cli.Output;

/// <summary>A data set that was made, as <c>--json</c> prints it; <c>Manifests</c> has the number of examples of each.</summary>
internal sealed record DataSetLine(
    string Folder, string Name, IReadOnlyList<TaskLine> Tasks, IReadOnlyDictionary<string, int> Manifests, IReadOnlyList<string> Notes, IReadOnlyList<LeftOutLine> LeftOut);

/// <summary>A task of a data set.</summary>
internal sealed record TaskLine(string Name, string Kind, IReadOnlyList<string> Labels);

/// <summary>Something of the source that is not in the data set; a fault is something broken.</summary>
internal sealed record LeftOutLine(string What, string Reason, bool IsFault);
