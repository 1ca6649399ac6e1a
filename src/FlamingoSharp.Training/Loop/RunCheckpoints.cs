using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training;

/// <summary>
/// The checkpoints of a run, in <c>checkpoints/step-N</c>. Each appears whole, after it is on disk; the one before is removed only then.
/// </summary>
internal sealed class RunCheckpoints(string runFolder, int kept)
{
    private const string StateFile = "state.json", TensorFile = "tensors.safetensors", Prefix = "step-";

    private readonly string _folder = Path.Combine(runFolder, "checkpoints");

    /// <summary>Step of the newest checkpoint, good or not; null if there is none.</summary>
    public int? NewestStep => Steps() is [var newest, ..] ? newest : null;

    /// <summary>Where the checkpoint of a step lies.</summary>
    public string PathOf(int step) => Path.Combine(_folder, Prefix + step.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes a checkpoint, then removes those that are too many.</summary>
    /// <exception cref="IOException">It cannot be written; the earlier ones are as they were.</exception>
    public void Write(CheckpointState state, IWeightSource tensors)
    {
        Directory.CreateDirectory(_folder);
        string path = PathOf(state.Position.Step);
        if (Directory.Exists(path))
            Remove(path); // one that could not be read, or the run would have gone on behind it
        AtomicFile.WriteFolder(path, folder =>
        {
            string file = Path.Combine(folder, TensorFile);
            SafeTensorsWriter.WriteFile(file, tensors);
            var whole = state with { Files = [Sum(file)] };
            AtomicFile.Write(Path.Combine(folder, StateFile), f => JsonSerializer.Serialize(f, whole, LoopJson.Default.CheckpointState));
        });
        foreach (int old in Steps().Where(s => s < state.Position.Step).Skip(kept - 1))
            Remove(PathOf(old));
    }

    /// <summary>The newest checkpoint that is whole.</summary>
    /// <param name="warn">Told of those that are not.</param>
    /// <returns>Its state and its tensors, to be disposed; null if there is none.</returns>
    public (CheckpointState State, IWeightSource Tensors)? OpenNewest(Action<string> warn)
    {
        foreach (int step in Steps())
        {
            if (TryOpen(PathOf(step), out string fault) is { } found)
                return found;
            warn($"'{PathOf(step)}' is not whole ({fault}); an earlier checkpoint is taken.");
        }
        return null;
    }

    /// <summary>Removes what a killed run has left half-written.</summary>
    public void Tidy()
    {
        if (!Directory.Exists(_folder))
            return;
        foreach (string left in Directory.EnumerateDirectories(_folder, ".*.tmp"))
            Directory.Delete(left, recursive: true);
    }

    private static (CheckpointState, IWeightSource)? TryOpen(string path, out string fault)
    {
        try
        {
            CheckpointState state;
            using (var file = File.OpenRead(Path.Combine(path, StateFile)))
                state = JsonSerializer.Deserialize(file, LoopJson.Default.CheckpointState) ?? throw new JsonException("it is empty");
            fault = state.Format != CheckpointState.CurrentFormat ? $"its form is '{state.Format}'"
                : state.Files.FirstOrDefault(f => Sum(Path.Combine(path, f.Name)) != f) is { } other ? $"'{other.Name}' is not as it was written"
                : "";
            return fault.Length > 0 ? null : (state, new SafeTensorsReader(Path.Combine(path, TensorFile)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FlamingoException)
        {
            fault = e.Message.TrimEnd('.');
            return null;
        }
    }

    // Newest first.
    private int[] Steps() => !Directory.Exists(_folder) ? [] :
    [
        .. Directory.EnumerateDirectories(_folder, Prefix + "*").Select(p => Path.GetFileName(p)[Prefix.Length..])
            .Select(n => int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : -1).Where(s => s >= 0).OrderDescending(),
    ];

    // Taken out of sight first, so that a kill in the middle leaves nothing that looks like a checkpoint.
    private static void Remove(string path)
    {
        string doomed = AtomicFile.TemporaryBeside(path);
        Directory.Move(path, doomed);
        Directory.Delete(doomed, recursive: true);
    }

    private static CheckpointFileSum Sum(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        var crc = new Crc32();
        byte[] block = new byte[1 << 20];
        long bytes = 0;
        for (int got; (got = file.Read(block)) > 0; bytes += got)
            crc.Append(block.AsSpan(0, got));
        return new CheckpointFileSum(Path.GetFileName(path), bytes, crc.Value);
    }
}
