using System.Runtime.InteropServices;
using FlamingoSharp.Runtime;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Distributed;

/// <summary>Gradients that travel together: one run of float32 numbers, at a place that does not move.</summary>
internal sealed unsafe class GradientBucket : IDisposable
{
    private readonly IReadOnlyList<Parameter> _parameters;
    private readonly int[] _offsets; // of each member
    private readonly Tensor _flat; // [n]

    /// <param name="parameters">All that learn.</param> <param name="members">Numbers of those whose gradients are in this bucket.</param>
    private GradientBucket(IReadOnlyList<Parameter> parameters, IReadOnlyList<int> members)
    {
        (_parameters, Members) = (parameters, members);
        _offsets = new int[members.Count];
        for (int i = 0; i < members.Count; i++)
        {
            _offsets[i] = Length;
            Length = checked(Length + (int)parameters[members[i]].numel());
        }
        _flat = zeros(Length, ScalarType.Float32).DetachFromDisposeScope();
        fixed (byte* at = _flat.bytes)
            Values = (float*)at;
    }

    /// <summary>Numbers of the parameters, in the order in which their gradients are expected.</summary>
    public IReadOnlyList<int> Members { get; }

    /// <summary>The numbers, outside of what the collector moves.</summary>
    public float* Values { get; }

    /// <summary>How many.</summary>
    public int Length { get; }

    /// <summary>Puts parameters into buckets.</summary>
    /// <param name="parameters">All that learn.</param> <param name="order">Their numbers, as their gradients are expected.</param>
    /// <param name="bytes">A bucket takes one more as long as it is smaller than this.</param>
    public static List<GradientBucket> Layout(IReadOnlyList<Parameter> parameters, IEnumerable<int> order, long bytes)
    {
        var buckets = new List<GradientBucket>();
        var members = new List<int>();
        long size = 0;
        foreach (int index in order)
        {
            members.Add(index);
            size += parameters[index].numel() * sizeof(float);
            if (size >= bytes)
                Close();
        }
        Close();
        return buckets;

        void Close()
        {
            if (members.Count > 0)
                buckets.Add(new GradientBucket(parameters, [.. members]));
            members.Clear();
            size = 0;
        }
    }

    /// <summary>Copies the gradients in; 0 where there is none.</summary>
    public void Fill()
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        for (int i = 0; i < Members.Count; i++)
        {
            var part = Part(i);
            var gradient = _parameters[Members[i]].grad;
            if (gradient is null)
                part.Clear();
            else
                MemoryMarshal.Cast<byte, float>(Plain(gradient).bytes).CopyTo(part);
        }
    }

    /// <summary>Copies the gradients out, multiplied by a factor.</summary>
    /// <param name="factor">Makes means of sums.</param> <param name="has">Whether a parameter has a gradient in any process, by its number.</param>
    public void Empty(double factor, Func<int, bool> has)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        _flat.MultiplyInPlace(factor);
        for (int i = 0; i < Members.Count; i++)
        {
            if (!has(Members[i]))
                continue;
            var parameter = _parameters[Members[i]];
            var mean = _flat.narrow(0, _offsets[i], parameter.numel()).view(parameter.shape);
            if (parameter.grad is { } gradient)
                gradient.copy_(mean);
            else
                parameter.grad = mean.to(parameter.dtype, parameter.device, copy: true);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _flat.Dispose();

    private Span<float> Part(int member) => new(Values + _offsets[member], (int)_parameters[Members[member]].numel());

    // On the CPU the gradient itself, as a rule: copying it with the processor alone starts no threads beside the model's.
    private static Tensor Plain(Tensor gradient) => gradient.to(ScalarType.Float32, CPU).contiguous();
}
