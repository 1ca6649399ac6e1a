namespace FlamingoSharp.Cli;

/// <summary>Progress that is told at once, on the working thread; <see cref="Progress{T}"/> tells later, on another.</summary>
internal sealed class CallbackProgress<T>(Action<T> told) : IProgress<T>
{
    public void Report(T value) => told(value);
}
