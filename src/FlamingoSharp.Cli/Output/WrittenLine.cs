namespace FlamingoSharp.Cli.Output;

/// <summary>A model folder that was written, as <c>--json</c> prints it.</summary>
internal sealed record WrittenLine(string Folder, string Name, int Tensors, long Bytes, IReadOnlyList<string>? Ignored);
