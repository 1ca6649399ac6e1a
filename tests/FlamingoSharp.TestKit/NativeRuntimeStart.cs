using FlamingoSharp.Runtime;

namespace FlamingoSharp.TestKit;

/// <summary>Loads the native libraries before any test touches torch.</summary>
public static class NativeRuntimeStart
{
    /// <summary>Called by the module initialiser of each test assembly.</summary>
    public static void Load() => NativeRuntime.EnsureLoaded();
}
