namespace FlamingoSharp.Cli.Output;

/// <summary>A model that was pulled, as <c>--json</c> prints it.</summary>
internal sealed record PulledLine(
    string Repository, string Revision, string Commit, string Folder, int Files, int Downloaded, long BytesReceived, string? License, string LicenseLink);
