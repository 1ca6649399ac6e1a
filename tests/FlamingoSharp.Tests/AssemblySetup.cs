using System.Runtime.CompilerServices;
using FlamingoSharp.TestKit;

// Tensors are counted per thread and torch spreads over all cores by itself.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace FlamingoSharp.Tests;

internal static class AssemblySetup
{
    [ModuleInitializer]
    internal static void Start()
    {
        Retrieval.IngestProcess.RunIfAsked();
        NativeRuntimeStart.Load();
    }
}
