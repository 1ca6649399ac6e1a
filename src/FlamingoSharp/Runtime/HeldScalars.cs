using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Runtime;

/// <summary>Arithmetic between tensors and plain numbers that a garbage collection cannot disturb; ours is done here and nowhere else.</summary>
/// <remarks>
/// TorchSharp 0.107.0 makes a native scalar of every number given to an operation, passes its address to the native function and
/// forgets its owner. If the collector runs in between, the owner's finalizer frees the scalar while the function still reads it:
/// "Unknown scalar type", or a wrong number. Even <c>x + y</c> hides one, the factor 1 of y. Here each scalar outlives its call:
/// <c>using</c> holds it until the native function has returned. A test reads the compiled code and finds every other way.
/// </remarks>
internal static class HeldScalars
{
    private static readonly Scalar One = 1; // never freed

    /// <summary>x + y</summary>
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);

    /// <summary>x + y, for whole numbers.</summary>
    public static Tensor Plus(this Tensor x, long y)
    {
        using Scalar held = y;
        return x.add(held, One);
    }

    /// <summary>x * y</summary>
    public static Tensor Times(this Tensor x, double y)
    {
        using Scalar held = y;
        return x.mul(held);
    }

    /// <summary>x += y</summary>
    public static Tensor AddInPlace(this Tensor x, Tensor y) => x.add_(y, One);

    /// <summary>x += y</summary>
    public static Tensor AddInPlace(this Tensor x, double y)
    {
        using Scalar held = y;
        return x.add_(held, One);
    }

    /// <summary>x *= y</summary>
    public static Tensor MultiplyInPlace(this Tensor x, double y)
    {
        using Scalar held = y;
        return x.mul_(held);
    }

    /// <summary>x /= y</summary>
    public static Tensor DivideInPlace(this Tensor x, double y)
    {
        using Scalar held = y;
        return x.div_(held);
    }

    /// <summary>x += factor * a * b, elementwise.</summary>
    public static Tensor AddProductInPlace(this Tensor x, Tensor a, Tensor b, double factor)
    {
        using Scalar held = factor;
        return x.addcmul_(a, b, held);
    }

    /// <summary>x += factor * a / b, elementwise.</summary>
    public static Tensor AddQuotientInPlace(this Tensor x, Tensor a, Tensor b, double factor)
    {
        using Scalar held = factor;
        return x.addcdiv_(a, b, held);
    }

    /// <summary>x += factor * y</summary>
    public static Tensor AddScaledInPlace(this Tensor x, Tensor y, double factor)
    {
        using Scalar held = factor;
        return x.add_(y, held);
    }

    /// <summary>Raises every element to a least value.</summary>
    public static Tensor RaiseInPlace(this Tensor x, double least)
    {
        using Scalar held = least;
        return x.clamp_min_(held);
    }

    /// <summary>A copy of x with every element between two bounds.</summary>
    public static Tensor Within(this Tensor x, double least, double most)
    {
        using Scalar low = least, high = most;
        return x.clamp(low, high);
    }

    /// <summary>A copy of x with a value where the mask is true.</summary>
    public static Tensor FilledWhere(this Tensor x, Tensor mask, double value)
    {
        using Scalar held = value;
        return x.masked_fill(mask, held);
    }

    /// <summary>True where an element is zero.</summary>
    public static Tensor IsZero(this Tensor x)
    {
        using Scalar held = 0;
        return x.eq(held);
    }

    /// <summary>True where an element is another number.</summary>
    public static Tensor IsNot(this Tensor x, long value)
    {
        using Scalar held = value;
        return x.ne(held);
    }

    /// <summary>Gives every element one value.</summary>
    public static Tensor FillInPlace(this Tensor x, double value)
    {
        using Scalar held = value;
        return x.fill_(held);
    }

    /// <summary>The numbers start, start + 1, ... below end.</summary>
    public static Tensor Range(long start, long end, ScalarType type, Device device)
    {
        using Scalar first = start, last = end;
        return arange(first, last, One, type, device);
    }
}
