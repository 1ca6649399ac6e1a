using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FlamingoSharp.Runtime;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Distributed;

/// <summary>Tells, in the middle of a backward pass, that a parameter's gradient is there.</summary>
/// <remarks>
/// TorchSharp has no such hooks, so this gives libtorch an object of its own class <c>PostAccumulateGradHook</c>: a pointer to a table of
/// functions as the Itanium C++ ABI lays it out, which every compiler on Linux follows. The class has had this form since torch 2.1; of its
/// functions, the autograd engine calls the second destructor (slot 1) and the call operator (slot 2).
/// </remarks>
internal sealed unsafe class AccumulationHooks : IDisposable
{
    // torch::autograd::impl::set_post_acc_grad_hooks(const at::TensorBase&, std::unique_ptr<PostAccumulateGradHook>)
    private const string SetHook =
        "_ZN5torch8autograd4impl23set_post_acc_grad_hooksERKN2at10TensorBaseESt10unique_ptrINS0_22PostAccumulateGradHookESt14default_deleteIS7_EE";

    private static readonly nint* s_functions = MakeTable();
    private static readonly delegate* unmanaged<nint, NativeHook**, void> s_setHook = FindSetHook();

    private readonly IReadOnlyList<Tensor> _leaves;
    private readonly Action<int> _arrived;
    private GCHandle _self;
    private Exception? _failure;

    private AccumulationHooks(IReadOnlyList<Tensor> leaves, Action<int> arrived)
    {
        (_leaves, _arrived) = (leaves, arrived);
        _self = GCHandle.Alloc(this);
        for (int i = 0; i < leaves.Count; i++)
        {
            var hook = (NativeHook*)NativeMemory.Alloc((nuint)sizeof(NativeHook));
            *hook = new NativeHook { Functions = s_functions, Owner = GCHandle.ToIntPtr(_self), Index = i };
            Set(leaves[i], hook);
        }
    }

    /// <summary>Attaches to parameters; null if this libtorch has no such hooks.</summary>
    /// <param name="leaves">Tensors with gradients of their own; they outlive the hooks.</param>
    /// <param name="arrived">
    /// Told the number of a parameter when a backward pass has added to its gradient all that it will; on the thread that runs the pass.
    /// </param>
    public static AccumulationHooks? TryAttach(IReadOnlyList<Tensor> leaves, Action<int> arrived) =>
        s_setHook == null ? null : new AccumulationHooks(leaves, arrived);

    /// <summary>Throws what a call of <c>arrived</c> has thrown: it could not pass through torch.</summary>
    public void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new InvalidOperationException("A gradient could not be taken.", failure);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_self.IsAllocated)
            return;
        foreach (var leaf in _leaves)
            Set(leaf, null);
        _self.Free();
    }

    // A unique_ptr is handed over by its address; torch takes what it holds.
    private static void Set(Tensor leaf, NativeHook* hook)
    {
        s_setHook(leaf.Handle, &hook);
        GC.KeepAlive(leaf);
    }

    private static delegate* unmanaged<nint, NativeHook**, void> FindSetHook()
    {
        string? folder = OperatingSystem.IsLinux() ? NativeRuntime.EnsureLoaded().LibTorchFolder : null;
        return folder is not null
            && NativeLibrary.TryLoad(Path.Combine(folder, "libtorch_cpu.so"), out nint library) // loaded already; this finds it
            && NativeLibrary.TryGetExport(library, SetHook, out nint address)
            ? (delegate* unmanaged<nint, NativeHook**, void>)address
            : null;
    }

    private static nint* MakeTable()
    {
        const int Slots = 7;
        var table = (nint*)NativeMemory.AllocZeroed(Slots, (nuint)sizeof(nint)); // lives as long as the process
        nint* functions = table + 2; // before them: the offset to the top and the type, which nobody asks for
        functions[0] = (nint)(delegate* unmanaged<NativeHook*, void>)&Ignore; // the destructor of an object on the stack
        functions[1] = (nint)(delegate* unmanaged<NativeHook*, void>)&Delete;
        functions[2] = (nint)(delegate* unmanaged<NativeHook*, nint, void>)&Call;
        functions[3] = functions[0]; // what follows is for Python's compiled autograd
        functions[4] = functions[0];
        return functions;
    }

    [UnmanagedCallersOnly]
    private static void Ignore(NativeHook* hook)
    {
    }

    [UnmanagedCallersOnly]
    private static void Delete(NativeHook* hook) => NativeMemory.Free(hook);

    [UnmanagedCallersOnly]
    private static void Call(NativeHook* hook, nint tensor)
    {
        var owner = Unsafe.As<AccumulationHooks>(GCHandle.FromIntPtr(hook->Owner).Target!);
        try
        {
            owner._arrived(hook->Index);
        }
#pragma warning disable CA1031 // must not pass through native code
        catch (Exception e)
#pragma warning restore CA1031
        {
            owner._failure ??= e;
        }
    }

    private struct NativeHook
    {
        public nint* Functions;
        public nint Owner;
        public int Index;
    }
}
