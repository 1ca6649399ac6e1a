using System.Globalization;
using System.Numerics;

namespace FlamingoSharp.Weights;

/// <summary>
/// Reads the pickles of torch checkpoints. It knows the instructions that torch writes and the names in <see cref="PickleGlobal"/>;
/// anything else ends the reading. Nothing named in the file is ever called or made.
/// </summary>
/// <remarks>Protocol 2; values become null, bool, long, BigInteger, double, string, object?[] (tuple), List, PickleDictionary, and the reference types.</remarks>
internal sealed class Unpickler
{
    private const int LargestStack = 1 << 20;

    private readonly CheckpointFile _file;
    private readonly PickleReader _in;
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<int, object?> _memo = [];
    private readonly List<StorageReference> _storages;
    private long _where;
    private int _copied;

    private Unpickler(CheckpointFile file, long start, long end, List<StorageReference> storages)
    {
        _file = file;
        _in = new PickleReader(file, start, end);
        _storages = storages;
    }

    /// <summary>Reads the pickle that begins at an offset.</summary>
    /// <param name="file">The checkpoint.</param>
    /// <param name="start">Its first byte; afterwards the byte behind its last.</param>
    /// <param name="end">Where it must have ended.</param>
    /// <param name="storages">Receives every storage the pickle refers to.</param>
    /// <exception cref="FlamingoException">The pickle is damaged or names something that no checkpoint needs.</exception>
    public static object? Load(CheckpointFile file, ref long start, long end, List<StorageReference> storages)
    {
        var unpickler = new Unpickler(file, start, end, storages);
        object? value = unpickler.Run();
        start = unpickler._in.Position;
        return value;
    }

    private object? Run()
    {
        while (true)
        {
            _where = _in.Position;
            byte code = _in.Byte();
            if (code == '.')
            {
                object? result = Pop();
                return _stack.Count == 0 && _marks.Count == 0 ? result : throw Corrupt("the pickle stops with values left over");
            }
            Step(code);
        }
    }

    private void Step(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                if (_in.Byte() is var protocol and not 2)
                    throw Corrupt($"pickle protocol {protocol}; torch writes protocol 2");
                break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'J': Push((long)_in.Int32()); break;
            case (byte)'K': Push((long)_in.Byte()); break;
            case (byte)'M': Push((long)_in.UInt16()); break;
            case 0x8a: PushWhole(new BigInteger(_in.Bytes(_in.Byte()))); break;
            case (byte)'G': Push(_in.Double()); break;
            case (byte)'X': Push(_in.Text((uint)_in.Int32())); break;
            case (byte)'}': Push(new PickleDictionary()); break;
            case (byte)']': Push(new List<object?>()); break;
            case (byte)')': Push(Array.Empty<object?>()); break;
            case (byte)'(': _marks.Push(_stack.Count); break;
            case (byte)'t': Push(PopToMark()); break;
            case 0x85: Push(PopMany(1)); break;
            case 0x86: Push(PopMany(2)); break;
            case 0x87: Push(PopMany(3)); break;
            case (byte)'a': Append(PopMany(1)); break;
            case (byte)'e': Append(PopToMark()); break;
            case (byte)'s': SetItems(PopMany(2)); break;
            case (byte)'u': SetItems(PopToMark()); break;
            case (byte)'q': _memo[_in.Byte()] = Peek(); break;
            case (byte)'r': _memo[_in.Int32()] = Peek(); break;
            case (byte)'h': Push(Recall(_in.Byte())); break;
            case (byte)'j': Push(Recall(_in.Int32())); break;
            case (byte)'c': Push(Global(_in.Line(), _in.Line())); break;
            case (byte)'Q': Push(Storage(Pop())); break;
            case (byte)'R': Push(Reduce(PopMany(2))); break;
            case (byte)'b': Build(Pop()); break;
            default: throw Corrupt($"the pickle has the instruction 0x{code:x2}, which no checkpoint needs");
        }
    }

    private PickleGlobal Global(string module, string name) => PickleGlobal.Named(module, name)
        ?? throw Corrupt($"the pickle names '{Printable(module)}.{Printable(name)}', which no checkpoint needs; nothing was run, but do not trust this file");

    private object Reduce(object?[] call)
    {
        if (call is not [PickleGlobal global, object?[] arguments])
            throw Corrupt("the pickle calls something that is no function");
        switch (global.Kind, arguments)
        {
            case (PickleGlobalKind.OrderedDictionary, []):
                return new PickleDictionary();
            case (PickleGlobalKind.OrderedDictionary, [List<object?> pairs]):
                if ((_copied += pairs.Count) > LargestStack)
                    throw Corrupt("the pickle copies its lists over and over");
                var result = new PickleDictionary();
                foreach (object? pair in pairs)
                {
                    result.Items.Add(pair switch
                    {
                        object?[] and [var key, var value] => (key, value),
                        List<object?> and [var key, var value] => (key, value),
                        _ => throw Corrupt("an OrderedDict is made of something that is no pair"),
                    });
                }
                return result;
            case (PickleGlobalKind.Tensor, [StorageReference storage, long offset, object?[] size, object?[] stride, bool, PickleDictionary or null, ..]) when arguments.Length <= 7:
                return View(storage, offset, Numbers(size), Numbers(stride));
            case (PickleGlobalKind.Parameter, [TensorReference tensor, bool, PickleDictionary or null]):
                return tensor;
            default:
                throw Corrupt($"the pickle calls {global.Kind} with {arguments.Length} arguments that it does not take");
        }
    }

    private TensorReference View(StorageReference storage, long offset, long[] size, long[] stride)
    {
        if (offset < 0)
            throw Corrupt($"a tensor begins at element {offset} of its storage");
        if (size.Length != stride.Length || size.Length > 64)
            throw Corrupt($"a tensor has {size.Length} dimensions but {stride.Length} strides");
        if (size.Any(s => s < 0) || stride.Any(s => s < 0))
            throw Corrupt($"a tensor has a negative size or stride: [{string.Join(", ", size)}], [{string.Join(", ", stride)}]");
        try
        {
            long count = 1, last = offset;
            for (int i = 0; i < size.Length; i++)
            {
                count = checked(count * size[i]);
                last = checked(last + Math.Max(0, size[i] - 1) * stride[i]);
            }
            _ = checked(count * 8);
            if (count > 0 && last >= storage.Elements)
            {
                throw Corrupt($"a tensor of size [{string.Join(", ", size)}], stride [{string.Join(", ", stride)}] and offset {offset} "
                    + $"reaches element {last} of a storage of {storage.Elements}");
            }
        }
        catch (OverflowException e)
        {
            throw Corrupt($"the size of a tensor, [{string.Join(", ", size)}], does not fit 64 bits", e);
        }
        return new TensorReference(storage, offset, size, stride, _where);
    }

    /// <summary>The persistent id of a storage: ("storage", class, key, device, elements), in old files with a sixth member None.</summary>
    private StorageReference Storage(object? id)
    {
        if (id is not object?[] members || members is not (["storage", PickleGlobal { Kind: PickleGlobalKind.Storage }, string, string, long]
            or ["storage", PickleGlobal { Kind: PickleGlobalKind.Storage }, string, string, long, null]))
        {
            throw Corrupt("the pickle refers to something outside it that is no storage");
        }
        var (type, key, elements) = (((PickleGlobal)members[1]!).Element, (string)members[2]!, (long)members[4]!);
        if (elements < 0 || elements > long.MaxValue / 16)
            throw Corrupt($"a storage of {elements} elements");
        var storage = new StorageReference(key, type, elements, _where);
        _storages.Add(storage);
        return storage;
    }

    private void Build(object? state)
    {
        // An OrderedDict's attributes: a state dict carries _metadata, which only torch needs.
        if (Peek() is not PickleDictionary || state is not PickleDictionary)
            throw Corrupt("the pickle sets the state of something that is no dictionary");
    }

    private void Append(object?[] values)
    {
        if (Peek() is not List<object?> list)
            throw Corrupt("the pickle appends to something that is no list");
        list.AddRange(values);
    }

    private void SetItems(object?[] values)
    {
        if (Peek() is not PickleDictionary dictionary || values.Length % 2 != 0)
            throw Corrupt("the pickle sets items of something that is no dictionary");
        for (int i = 0; i < values.Length; i += 2)
            dictionary.Items.Add((values[i], values[i + 1]));
    }

    private long[] Numbers(object?[] tuple) =>
        [.. tuple.Select(n => n as long? ?? throw Corrupt("a size or stride is no whole number of 64 bits"))];

    private void PushWhole(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
            Push((long)value);
        else
            Push(value); // torch's magic number
    }

    private void Push(object? value)
    {
        if (_stack.Count >= LargestStack)
            throw Corrupt($"the pickle holds more than {LargestStack} unfinished values");
        _stack.Add(value);
    }

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Corrupt("the pickle takes a value where there is none");

    private object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] PopMany(int count)
    {
        if (_stack.Count - Floor < count)
            throw Corrupt("the pickle takes more values than there are");
        object?[] values = [.. _stack.GetRange(_stack.Count - count, count)];
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0)
            throw Corrupt("the pickle ends a sequence that it did not begin");
        int count = _stack.Count - _marks.Peek();
        object?[] values = PopMany(count);
        _marks.Pop();
        return values;
    }

    /// <summary>Values below the last mark are out of reach until it is taken away.</summary>
    private int Floor => _marks.Count > 0 ? _marks.Peek() : 0;

    private object? Recall(int index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw Corrupt(string.Create(CultureInfo.InvariantCulture, $"the pickle recalls value {index}, which it did not keep"));

    private FlamingoException Corrupt(string what, Exception? inner = null) => _file.Corrupt(_where, what, inner);

    private static string Printable(string text) => string.Concat(text.Select(c => c is >= ' ' and < (char)127 ? c : '?'));
}
