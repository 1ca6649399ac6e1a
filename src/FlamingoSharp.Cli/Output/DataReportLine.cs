namespace FlamingoSharp.Cli.Output;

/// <summary>A checked data set, as <c>--json</c> prints it.</summary>
internal sealed record DataReportLine(int Errors, int Warnings, IReadOnlyList<CheckedManifestLine> Manifests, IReadOnlyList<DataFaultLine> Faults);

/// <summary>A manifest that was checked.</summary>
internal sealed record CheckedManifestLine(string Name, int Items, int Sounds, double Minutes);

/// <summary>A fault; <c>Item</c> is a key of the manifest.</summary>
internal sealed record DataFaultLine(string Kind, bool IsError, string Manifest, string? Item, string Message);

/// <summary>A sample as the model will see it, as <c>--json</c> prints it.</summary>
internal sealed record PreviewLine(
    string Manifest, string Item, IReadOnlyList<PreviewSoundLine> Sounds, IReadOnlyList<PreviewPieceLine> Pieces, int Tokens, int TokensLearnt, int TokensCut);

/// <summary>A recording of a sample; <c>Start</c> in seconds.</summary>
internal sealed record PreviewSoundLine(string Path, double Start);

/// <summary>A piece of a text.</summary>
internal sealed record PreviewPieceLine(string Text, bool Learnt);
