using System.Numerics.Tensors;
using System.Text;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace FlamingoSharp.Embeddings;

/// <summary>How a CLAP model is loaded.</summary>
public sealed record ClapLoadOptions
{
    /// <summary>Where it runs: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Folder of the tokenizer, <c>tokenizer.json</c> or <c>vocab.json</c> with <c>merges.txt</c>: RoBERTa's for a published checkpoint of
    /// LAION-CLAP. A model folder holds its own, and needs none.
    /// </summary>
    public string? TokenizerFolder { get; init; }

    /// <summary>Windows encoded together; null chooses by the size of the encoder.</summary>
    public int? WindowsAtOnce { get; init; }

    /// <summary>The user's own libtorch; null takes FLAMINGO_LIBTORCH, then the packaged one.</summary>
    public string? LibTorchFolder { get; init; }
}

/// <summary>
/// A loaded CLAP model: embeds sounds and texts into one space, in which what belongs together lies close. Safe for concurrent use; requests
/// take turns. The same file always gives the same embedding.
/// </summary>
/// <example><code>
/// using var clap = ClapModel.Load("models/clap-mini");
/// float[] sound = clap.EmbedAudio("samples/rain.wav").Vector;
/// float fits = ClapModel.Similarity(sound, clap.EmbedText("rain"));
/// </code></example>
public sealed class ClapModel : IDisposable
{
    private const int TextsAtOnce = 32;

    private readonly ClapTowers _towers;
    private readonly ClapTokenizer? _tokens;
    private readonly Device _device;
    private readonly int _windowsAtOnce;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Lazy<string> _hash;

    internal ClapModel(ClapConfig config, ClapTowers towers, Tokenizer? tokenizer, ClapLoadOptions options)
    {
        (Config, Tokenizer, _towers) = (config, tokenizer, towers);
        _tokens = config.Text is not null && tokenizer is not null ? new ClapTokenizer(tokenizer, config) : null;
        _device = Devices.Parse(options.Device);
        _windowsAtOnce = options.WindowsAtOnce ?? config.Audio.WindowsAtOnce;
        _hash = new Lazy<string>(() => ModuleFingerprint.Of(_towers, Config.ToJson()));
        using (NewDisposeScope())
            LogitScale = towers.LogScale is { } log ? Math.Exp(log.detach().cpu().to_type(ScalarType.Float64).item<double>()) : 1;
    }

    /// <summary>What the model is.</summary>
    public ClapConfig Config { get; }

    /// <summary>How it reads; null if it was loaded without, or embeds sounds alone.</summary>
    public Tokenizer? Tokenizer { get; }

    /// <summary>Numbers in an embedding.</summary>
    public int Dimensions => Config.Dimensions;

    /// <summary>True if texts can be embedded as well as sounds.</summary>
    public bool ReadsText => _tokens is not null;

    /// <summary>The trained factor from similarities to logits; 1 in a model of sounds alone.</summary>
    public double LogitScale { get; }

    /// <summary>
    /// SHA-256 of configuration and weights, hexadecimal: embeddings of models of one hash may be compared, and no others. It is the same for
    /// every file form of the same weights.
    /// </summary>
    public string WeightsHash => _hash.Value;

    /// <summary>Loads a model folder (config.json of kind clap, tokenizer, safetensors), or a published checkpoint of LAION's or Microsoft's CLAP.</summary>
    /// <param name="path">The folder or the checkpoint's file.</param>
    /// <param name="options">Device, and the tokenizer for a published checkpoint.</param>
    /// <exception cref="FlamingoException">A part is missing or corrupt, parts do not fit each other, or the device cannot be used.</exception>
    public static ClapModel Load(string path, ClapLoadOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new();
        if (options.WindowsAtOnce < 1)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"WindowsAtOnce is {options.WindowsAtOnce}, but at least 1 window must be encoded at a time.");
        ClapConfig config;
        IWeightSource weights;
        string? tokenizer = options.TokenizerFolder;
        if (Directory.Exists(path))
        {
            string file = Path.Combine(path, "config.json");
            config = ClapConfig.Load(file);
            if (config.Text is not null)
                tokenizer ??= ModelFolder.Open(path).TokenizerFolder;
            NativeRuntime.EnsureLoaded(options.LibTorchFolder);
            weights = Checkpoint.Open(path);
        }
        else
        {
            NativeRuntime.EnsureLoaded(options.LibTorchFolder);
            weights = new RenamedSource(Checkpoint.Open(path), NameMap.Clap);
            config = ClapCheckpoint.Recognise(weights);
        }
        using (weights)
            return Of(config, weights, tokenizer is null || config.Text is null ? null : Tokenizer.Load(tokenizer), options);
    }

    private static ClapModel Of(ClapConfig config, IWeightSource weights, Tokenizer? tokenizer, ClapLoadOptions options)
    {
        var towers = config.Build();
        try
        {
            ModuleWeights.Fill(towers, weights, type: ScalarType.Float32, device: Devices.Parse(options.Device));
            towers.eval();
            return new ClapModel(config, towers, tokenizer, options);
        }
        catch
        {
            towers.Dispose();
            throw;
        }
    }

    /// <summary>Embeds a sound file of any format, rate and channel count.</summary>
    /// <param name="path">The file.</param>
    /// <param name="startSeconds">Seconds skipped.</param> <param name="durationSeconds">Seconds heard at most; null hears as many as the model can.</param>
    /// <param name="cancellation">Stops between windows.</param>
    /// <remarks>A sound longer than a window is heard window by window, the last one ending where the sound ends, and gets the mean of their embeddings.</remarks>
    /// <exception cref="FlamingoException">The file is missing, empty, or no sound.</exception>
    public SoundEmbedding EmbedAudio(string path, double startSeconds = 0, double? durationSeconds = null, CancellationToken cancellation = default) =>
        EmbedAudio(SoundFile.Load(path, Hearing(startSeconds, durationSeconds), cancellation), cancellation);

    /// <summary>How a file is to be read for this model: its rate, and no more seconds than it hears.</summary>
    /// <param name="startSeconds">Seconds skipped.</param> <param name="durationSeconds">Seconds read; null for all that it hears.</param>
    public SoundOptions Hearing(double startSeconds = 0, double? durationSeconds = null) =>
        new() { SampleRate = Config.Audio.SampleRate, StartSeconds = startSeconds, DurationSeconds = durationSeconds ?? Config.MaxSeconds };

    /// <summary>Embeds a sound from a stream, from where it stands to its end.</summary>
    /// <param name="stream">It is not disposed.</param> <param name="name">What messages call it.</param> <param name="cancellation">Stops between windows.</param>
    /// <inheritdoc cref="EmbedAudio(string, double, double?, CancellationToken)" path="/remarks"/>
    /// <exception cref="FlamingoException">The stream holds no sound.</exception>
    public SoundEmbedding EmbedAudio(Stream stream, string name, CancellationToken cancellation = default) =>
        EmbedAudio(SoundFile.Load(stream, name, Hearing(), cancellation), cancellation);

    /// <summary>Embeds a recording at the model's rate.</summary>
    /// <inheritdoc cref="EmbedAudio(string, double, double?, CancellationToken)" path="/remarks"/>
    /// <exception cref="FlamingoException">The recording has another rate.</exception>
    public SoundEmbedding EmbedAudio(Recording recording, CancellationToken cancellation = default)
    {
        var windows = new ClapWindows(recording, Config);
        float[][] vectors = EmbedWindows(windows, cancellation);
        return new SoundEmbedding(vectors.Length == 1 ? vectors[0] : MeanDirection(vectors))
        {
            Windows = windows.Count,
            SecondsHeard = windows.SecondsHeard,
            SecondsDropped = windows.SecondsDropped,
            Warnings = recording.Warnings,
        };
    }

    /// <summary>Embeds each window of a recording on its own, in their order.</summary>
    /// <inheritdoc cref="EmbedAudio(Recording, CancellationToken)" path="/exception"/>
    public IReadOnlyList<float[]> EmbedWindows(Recording recording, CancellationToken cancellation = default) =>
        EmbedWindows(new ClapWindows(recording, Config), cancellation);

    /// <summary>Embeds a text.</summary>
    /// <returns>Of length 1.</returns>
    /// <inheritdoc cref="EmbedTexts" path="/exception"/>
    public float[] EmbedText(string text) => EmbedTexts([text])[0];

    /// <summary>Embeds texts.</summary>
    /// <param name="texts">Each is cut after <see cref="TextTowerOptions.MaxTokens"/>.</param> <param name="cancellation">Stops between batches.</param>
    /// <returns>Vectors of length 1, in the order of the texts.</returns>
    /// <exception cref="FlamingoException">A text is empty, or the model does not read.</exception>
    public IReadOnlyList<float[]> EmbedTexts(IReadOnlyList<string> texts, CancellationToken cancellation = default)
    {
        var ids = texts.Select(Spell).ToList();
        float[][] vectors = new float[texts.Count][];
        // Texts of similar length go together, so that little is padding.
        foreach (int[] batch in Enumerable.Range(0, ids.Count).OrderBy(i => ids[i].Count).Chunk(TextsAtOnce))
        {
            float[][] embedded = InTurn(() =>
            {
                var (tokens, attend) = _tokens!.Batch([.. batch.Select(i => ids[i])]);
                return Rows(_towers.EmbedText(tokens.to(_device), attend.to(_device)));
            }, cancellation);
            for (int row = 0; row < batch.Length; row++)
                vectors[batch[row]] = embedded[row];
        }
        return vectors;
    }

    /// <summary>Tokens of a text as the text tower reads it, beginning and end included.</summary>
    /// <inheritdoc cref="EmbedTexts" path="/exception"/>
    public int CountTokens(string text) => Spell(text).Count;

    /// <summary>How well two embeddings of one model fit: the cosine of the angle between them, from -1 to 1.</summary>
    public static float Similarity(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => TensorPrimitives.Dot(a, b);

    /// <summary>Writes the model as a folder of its own, whatever it was loaded from.</summary>
    /// <param name="folder">Must not exist, or be empty.</param>
    /// <exception cref="FlamingoException">It exists, cannot be written, or the model was loaded without its tokenizer.</exception>
    public void Save(string folder)
    {
        if (Config.Text is not null && Tokenizer is null)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"'{Config.Name}' was loaded without its tokenizer, so no folder can be made of it. Load it with the folder of RoBERTa's tokenizer.");
        using var weights = new TrainedWeights(("", _towers));
        ModelFolder.Write(folder, path => WriteInto(path, Config, Tokenizer, weights), needsTokenizer: Config.Text is not null);
    }

    /// <summary>Writes a model into a folder that may hold other things, file by file, each of which appears whole.</summary>
    internal static void WriteInto(string folder, ClapConfig config, Tokenizer? tokenizer, IWeightSource weights, ScalarType? type = null)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, "config.json"), file => file.Write(Encoding.UTF8.GetBytes(config.ToJson() + "\n")));
        if (tokenizer is not null)
            ModelFolder.SaveTokenizer(folder, tokenizer.Save);
        SafeTensorsWriter.WriteFile(Path.Combine(folder, "model.safetensors"), weights, new SafeTensorsOptions { Type = type });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _towers.Dispose();
        _turn.Dispose();
    }

    private IReadOnlyList<int> Spell(string text)
    {
        if (_tokens is null)
        {
            throw new FlamingoException(FlamingoErrorKind.Usage, Config.Text is null
                ? $"'{Config.Name}' embeds sounds alone; take a CLAP model with a text tower."
                : $"'{Config.Name}' was loaded without a tokenizer. Give the folder of the one that it was trained with: RoBERTa's for LAION-CLAP.");
        }
        if (string.IsNullOrWhiteSpace(text))
            throw new FlamingoException(FlamingoErrorKind.Usage, "A text to embed is empty.");
        return _tokens.Encode(text);
    }

    private float[][] EmbedWindows(ClapWindows windows, CancellationToken cancellation)
    {
        var vectors = new List<float[]>();
        for (int first = 0; first < windows.Count; first += _windowsAtOnce)
        {
            int from = first, count = Math.Min(_windowsAtOnce, windows.Count - first);
            vectors.AddRange(InTurn(() => Rows(_towers.EmbedAudio(windows.ToTensor(from, count).to(_device))), cancellation));
        }
        return [.. vectors];
    }

    private static float[] MeanDirection(float[][] vectors)
    {
        float[] mean = new float[vectors[0].Length];
        foreach (float[] vector in vectors)
            TensorPrimitives.Add(mean, vector, mean);
        TensorPrimitives.Divide(mean, Math.Max(TensorPrimitives.Norm(mean), float.Epsilon), mean);
        return mean;
    }

    private static float[][] Rows(Tensor vectors)
    {
        float[] all = vectors.cpu().contiguous().data<float>().ToArray();
        return [.. all.Chunk((int)vectors.shape[1])];
    }

    private T InTurn<T>(Func<T> work, CancellationToken cancellation)
    {
        _turn.Wait(cancellation);
        try
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            return work();
        }
        finally
        {
            _turn.Release();
        }
    }
}
