namespace FlamingoSharp.Weights;

/// <summary>A model on disk in our own form: <c>config.json</c>, the tokenizer's files and safetensors, in one folder.</summary>
public sealed class ModelFolder
{
    private const string Config = "config.json";
    private static readonly string[][] s_tokenizers = [["tokenizer.json"], ["vocab.json", "merges.txt"]];
    private static readonly string[] s_besideTokenizers = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];

    private ModelFolder(string path) => Path = path;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The file that describes the model.</summary>
    public string ConfigPath => System.IO.Path.Combine(Path, Config);

    /// <summary>The folder that holds <c>tokenizer.json</c>, or <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    public string TokenizerFolder => Path;

    /// <summary>Checks that a folder holds every part of a model; reads none of them.</summary>
    /// <exception cref="FlamingoException">There is no such folder, or a part is missing; the message names it.</exception>
    public static ModelFolder Open(string path) => Open(path, needsTokenizer: true);

    private static ModelFolder Open(string path, bool needsTokenizer)
    {
        if (!Directory.Exists(path))
        {
            throw new FlamingoException(FlamingoErrorKind.Model, File.Exists(path)
                ? $"{path} is a file; expected the folder of a model, with {Config}, the tokenizer and the weights. 'flamingo convert' makes one from a checkpoint."
                : $"{path}: there is no such model folder.");
        }
        var folder = new ModelFolder(path);
        if (!File.Exists(folder.ConfigPath))
            throw folder.Incomplete($"{Config} is missing");
        if (needsTokenizer && TokenizerFiles(path) is null)
            throw folder.Incomplete("tokenizer.json (or vocab.json with merges.txt) is missing");
        CheckpointFolder.Files(path);
        return folder;
    }

    /// <summary>Opens the weights under their canonical names; the caller disposes them.</summary>
    /// <exception cref="FlamingoException">They are corrupt.</exception>
    public IWeightSource OpenWeights() => Checkpoint.Open(Path);

    /// <summary>Writes a folder as a whole: it appears, complete, when <paramref name="fill"/> has returned, or not at all.</summary>
    /// <param name="path">Must not exist, or be an empty folder.</param>
    /// <param name="fill">Writes the parts into the folder it is given, which lies beside <paramref name="path"/>.</param>
    /// <exception cref="FlamingoException">The folder exists and holds something, or cannot be written.</exception>
    public static ModelFolder Write(string path, Action<string> fill) => Write(path, fill, needsTokenizer: true);

    /// <inheritdoc cref="Write(string, Action{string})"/>
    /// <param name="path">Must not exist, or be an empty folder.</param>
    /// <param name="fill">Writes the parts into the folder it is given, which lies beside <paramref name="path"/>.</param>
    /// <param name="needsTokenizer">False for a model that reads no text.</param>
    internal static ModelFolder Write(string path, Action<string> fill, bool needsTokenizer)
    {
        if (File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any()))
            throw new FlamingoException(FlamingoErrorKind.Usage, $"{path} exists already; choose another name or delete it first.");
        string temporary = AtomicFile.TemporaryBeside(path);
        try
        {
            Directory.CreateDirectory(temporary);
            fill(temporary);
            Open(temporary, needsTokenizer);
            if (Directory.Exists(path))
                Directory.Delete(path);
            Directory.Move(temporary, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"{path} cannot be written: {e.Message}", e);
        }
        finally
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
        }
        return new ModelFolder(path);
    }

    /// <summary>Writes a tokenizer into a folder that may hold other things; its file appears whole.</summary>
    /// <param name="folder">An existing folder.</param> <param name="save">Writes the file into the folder that it is given.</param>
    internal static void SaveTokenizer(string folder, Action<string> save)
    {
        string name = s_tokenizers[0][0], aside = AtomicFile.TemporaryBeside(System.IO.Path.Combine(folder, name));
        Directory.CreateDirectory(aside);
        save(aside);
        File.Move(System.IO.Path.Combine(aside, name), System.IO.Path.Combine(folder, name), overwrite: true);
        Directory.Delete(aside);
    }

    /// <summary>The names of a tokenizer's files in a folder, with those that Hugging Face's libraries put beside it; null if it has none.</summary>
    internal static IReadOnlyList<string>? TokenizerFiles(string folder)
    {
        bool IsThere(string file) => File.Exists(System.IO.Path.Combine(folder, file));
        return s_tokenizers.FirstOrDefault(files => files.All(IsThere)) is { } tokenizer ? [.. tokenizer, .. s_besideTokenizers.Where(IsThere)] : null;
    }

    private FlamingoException Incomplete(string what) =>
        new(FlamingoErrorKind.Model, $"{Path} is no complete model folder: {what}. 'flamingo convert' makes one from a checkpoint.");
}
