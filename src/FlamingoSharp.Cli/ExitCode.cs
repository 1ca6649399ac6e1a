using System.Runtime.InteropServices;

namespace FlamingoSharp.Cli;

/// <summary>What the process ends with; part of the interface, listed in <c>--help</c>.</summary>
internal static class ExitCode
{
    public const int Ok = 0, Usage = 1, Input = 2, Model = 3, Device = 4, Cancelled = 130;

    /// <summary>The list that help texts end with.</summary>
    public const string Explanation =
        "0 ok, 1 wrong usage, 2 bad input file, 3 model or weights, 4 device or native libraries, 130 cancelled. "
        + "With several files the first error decides; the others are still answered.";

    public static int Of(Exception error) => error switch
    {
        FlamingoException { Kind: FlamingoErrorKind.Usage } => Usage,
        FlamingoException { Kind: FlamingoErrorKind.Input } => Input,
        FlamingoException { Kind: FlamingoErrorKind.Model } => Model,
        FlamingoException { Kind: FlamingoErrorKind.Device } => Device,
        OperationCanceledException => Cancelled,
        IOException or UnauthorizedAccessException => Input,
        ExternalException or OutOfMemoryException or DllNotFoundException or TypeInitializationException => Device,
        _ => Usage,
    };
}
