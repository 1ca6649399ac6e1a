using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FlamingoSharp.Weights;

/// <summary>Gives a module that was built without data (on torch's meta device) the tensors of a checkpoint.</summary>
public static class ModuleWeights
{
    /// <summary>Replaces every parameter of a module, and every buffer without data, by the checkpoint's tensor of the same name.</summary>
    /// <param name="module">Built on the meta device; its names are those of <see cref="nn.Module.named_parameters(bool)"/>. Unchanged if anything fails.</param>
    /// <param name="source">The checkpoint. Copies and computed tables in it are left out, names outside <paramref name="prefix"/> are not looked at.</param>
    /// <param name="prefix">What stands in front of the module's names in the checkpoint, with its dot.</param>
    /// <param name="type">Element type of the floating-point tensors; null keeps the stored one.</param>
    /// <param name="device">Where the tensors go; null keeps them on the CPU.</param>
    /// <param name="progress">Is told before each tensor.</param>
    /// <remarks>
    /// Buffers that already hold data were computed and stay, except running statistics, which only the checkpoint knows.
    /// Names and shapes are checked before the first tensor is read, and the module is touched only after the last one was.
    /// </remarks>
    /// <exception cref="FlamingoException">A tensor is missing, unexpected or of another shape, or cannot be read.</exception>
    public static void Fill(nn.Module module, IWeightSource source, string prefix = "", ScalarType? type = null, Device? device = null,
        IProgress<WeightProgress>? progress = null)
    {
        var slots = Slots(module);
        Check(slots, source, prefix);
        var filled = new List<(Slot Slot, Tensor Data)>(slots.Count);
        long done = 0, total = slots.Where(s => s.Wanted).Sum(s => s.Bytes);
        try
        {
            foreach (var slot in slots.Where(s => s.Wanted))
            {
                string name = prefix + slot.Names.First(n => source.Weights.ContainsKey(prefix + n));
                progress?.Report(new WeightProgress(name, done, total));
                done += slot.Bytes;
                var data = source.Read(name, source.Weights[name].IsFloating ? type : null);
                if (device is not null && device.type != DeviceType.CPU)
                {
                    using var onCpu = data;
                    data = onCpu.to(device);
                }
                filled.Add((slot, data));
            }
        }
        catch
        {
            filled.ForEach(f => f.Data.Dispose());
            throw;
        }
        foreach (var (slot, data) in filled)
            slot.Replace(data);
    }

    /// <summary>Compares names and shapes alone, without reading: what <see cref="Fill"/> does first.</summary>
    /// <inheritdoc cref="Fill" path="/param"/>
    /// <exception cref="FlamingoException">A tensor is missing, unexpected or of another shape.</exception>
    public static void Check(nn.Module module, IWeightSource source, string prefix = "") => Check(Slots(module), source, prefix);

    /// <summary>The tensors that a module wants from a checkpoint, in its own order.</summary>
    public static IReadOnlyList<WeightInfo> Describe(nn.Module module, string prefix = "") =>
        [.. Slots(module).Where(s => s.Wanted).Select(s => new WeightInfo(prefix + s.Names[0], s.Current.shape, s.Current.dtype))];

    private static void Check(List<Slot> slots, IWeightSource source, string prefix)
    {
        var report = new WeightReport(source, prefix);
        var known = new HashSet<string>();
        foreach (var slot in slots)
        {
            known.UnionWith(slot.Names);
            if (!slot.Wanted)
                continue;
            string? name = slot.Names.FirstOrDefault(n => source.Weights.ContainsKey(prefix + n));
            if (name is null)
                report.Missing(slot.Names[0], slot.Current.shape);
            else if (!source.Weights[prefix + name].Shape.SequenceEqual(slot.Current.shape))
                report.OtherShape(name, source.Weights[prefix + name].Shape, slot.Current.shape);
        }
        foreach (string name in source.Weights.Keys)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && !known.Contains(name[prefix.Length..])
                && !NameMap.IsCopy(name) && !NameMap.IsComputed(name))
            {
                report.Unexpected(name[prefix.Length..]);
            }
        }
        report.ThrowIfAny();
    }

    /// <summary>The module's tensors in its own order; one that several modules share is one slot with several names.</summary>
    private static List<Slot> Slots(nn.Module root)
    {
        var slots = new List<Slot>();
        var byHandle = new Dictionary<IntPtr, Slot>();
        foreach (var (path, module) in root.named_modules().Prepend(("", root)))
        {
            string start = path.Length == 0 ? "" : path + ".";
            foreach (var (name, parameter) in module.named_parameters(recurse: false))
                Add(start, name, module, parameter, persistent: true);
            var persistent = module.named_buffers(recurse: false).Select(b => b.name).ToHashSet();
            foreach (var (name, buffer) in module.named_buffers(recurse: false, include_nonpersistent: true))
                Add(start, name, module, buffer, persistent.Contains(name));
        }
        return slots;

        void Add(string start, string name, nn.Module owner, Tensor current, bool persistent)
        {
            if (!byHandle.TryGetValue(current.Handle, out var slot))
            {
                bool statistic = name is "running_mean" or "running_var";
                bool wanted = current is Parameter || (persistent && (statistic || (current.device_type == DeviceType.META && !NameMap.IsComputed(start + name))));
                slots.Add(byHandle[current.Handle] = slot = new Slot(current, wanted));
            }
            slot.Places.Add((owner, name));
            slot.Names.Add(start + name);
        }
    }

    /// <summary>One tensor of the module and everywhere it is known.</summary>
    private sealed class Slot(Tensor current, bool wanted)
    {
        public Tensor Current => current;

        public bool Wanted => wanted;

        public long Bytes { get; } = current.numel() * ElementReader.SizeOf(current.dtype);

        public List<string> Names { get; } = [];

        public List<(nn.Module Owner, string Name)> Places { get; } = [];

        public void Replace(Tensor data)
        {
            Tensor next = current is Parameter parameter ? new Parameter(data, parameter.requires_grad) : data;
            ModuleParameters.Replace(Places, current, next);
        }
    }
}
