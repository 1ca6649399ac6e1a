namespace FlamingoSharp;

/// <summary>What went wrong, in the terms a caller can act on; the command line turns it into its exit code.</summary>
public enum FlamingoErrorKind
{
    /// <summary>The request contradicts itself or the limits of the model: options, labels, prompts.</summary>
    Usage,

    /// <summary>An input file is missing, empty, or not what it claims to be.</summary>
    Input,

    /// <summary>A model folder, checkpoint or tokenizer is missing, corrupt, or does not fit.</summary>
    Model,

    /// <summary>The native runtime or the device cannot be used.</summary>
    Device,
}

/// <summary>
/// An error whose message is written for the person who meets it: what was found, what was expected, what to do.
/// </summary>
public class FlamingoException : Exception
{
    /// <summary>Creates an error of a kind.</summary>
    /// <param name="kind">Which part of the request is at fault.</param>
    /// <param name="message">What was found, what was expected, what to do.</param>
    /// <param name="inner">The cause, if another exception was.</param>
    public FlamingoException(FlamingoErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <summary>Which part of the request is at fault.</summary>
    public FlamingoErrorKind Kind { get; }
}
