using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>A part of a recording.</summary>
/// <param name="Path">The file.</param> <param name="Start">Seconds skipped.</param> <param name="Duration">Seconds meant; null for all that fits.</param>
internal sealed record SoundPart(string Path, double Start = 0, double? Duration = null);

/// <summary>
/// What a model's training hears of sound files: of a frozen encoder its output, of one that learns the spectrograms that it starts from.
/// Read, cut and computed once, then kept in a <see cref="FeatureCache"/>. May be asked by several threads.
/// </summary>
/// <remarks>Shapes: w windows, h vectors a window, c audio width, f frames, m mel bands.</remarks>
internal sealed class SoundSource : IDisposable
{
    private readonly Htsat _encoder;
    private readonly SoundCut _cut;
    private readonly bool _spectrograms;
    private readonly FeatureCache? _cache;
    private readonly MelAugmentation _augmentation;
    private readonly Device _device;
    private readonly string _settings;
    private readonly SemaphoreSlim _turn = new(1, 1); // one pass of the encoder at a time: torch uses all cores for it
    private readonly ConcurrentDictionary<(string Path, DateTime Written, long Length), string> _hashes = [];
    private readonly Lazy<SoundFeatures> _silence;

    /// <param name="encoder">In evaluation mode whenever this is asked.</param> <param name="windows">How recordings are cut.</param>
    /// <param name="spectrograms">True for an encoder that learns: spectrograms, not encodings.</param>
    /// <param name="encoderHash">Of the encoder's weights; not used with spectrograms.</param>
    /// <param name="cache">Keeps what was computed; null computes each time.</param> <param name="device">Where the encoder is.</param>
    public SoundSource(Htsat encoder, WindowOptions windows, bool spectrograms, string encoderHash, FeatureCache? cache, Device device)
        : this(encoder, SoundCut.Of(windows), spectrograms, encoderHash, cache, device)
    {
    }

    /// <summary>A source of spectrograms, cut as a CLAP model in use cuts sounds.</summary>
    /// <param name="encoder">That of the model; its front end alone is used.</param> <param name="config">How the model cuts.</param>
    /// <param name="cache">Keeps what was computed; null computes each time.</param>
    public SoundSource(Htsat encoder, ClapConfig config, FeatureCache? cache)
        : this(encoder, SoundCut.Of(config), spectrograms: true, "", cache, CPU)
    {
    }

    private SoundSource(Htsat encoder, SoundCut cut, bool spectrograms, string encoderHash, FeatureCache? cache, Device device)
    {
        (_encoder, _cut, _spectrograms, _cache, _device) = (encoder, cut, spectrograms, cache, device);
        var varied = Fit(new MelAugmentationOptions(), encoder.Options);
        _augmentation = new MelAugmentation(varied, encoder.Options.Mel.Frames(encoder.Options.WindowSamples), encoder.Options.Mel.Mels);
        // What is kept depends on the form of the spectrogram too, which the weights do not tell.
        var form = encoder.Options with { DropPath = 0, ProjectionDropout = 0 };
        _settings = $"{JsonSerializer.Serialize(form)}|{(spectrograms ? "mel" : encoderHash)}|{varied}";
        _silence = new Lazy<SoundFeatures>(() => Compute(new float[1, encoder.Options.WindowSamples], null));
    }

    /// <summary>Variations within the size of an encoder's spectrograms.</summary>
    public static MelAugmentationOptions Fit(MelAugmentationOptions options, HtsatOptions encoder)
    {
        int frames = encoder.Mel.Frames(encoder.WindowSamples), bands = encoder.Mel.Mels;
        return options with
        {
            RollFrames = Math.Min(options.RollFrames, frames - 1),
            FrameSeconds = (double)encoder.Mel.Hop / encoder.SampleRate,
            TimeMasks = (options.TimeMasks.Count, Math.Min(options.TimeMasks.Width, frames / 4)),
            FrequencyMasks = (options.FrequencyMasks.Count, Math.Min(options.FrequencyMasks.Width, bands / 4)),
        };
    }

    /// <summary>What a window of silence gives, which fills up every shorter sound: one window.</summary>
    public SoundFeatures Silence => _silence.Value;

    /// <summary>What is heard of a sound.</summary>
    /// <param name="sound">Which.</param> <param name="maxWindows">Windows at most.</param>
    /// <param name="view">0 for the sound as it is; others vary it, each in its own way.</param>
    /// <returns>Encodings [w, h, c] or spectrograms [w, f, m].</returns>
    /// <exception cref="FlamingoException">The file is missing or no sound.</exception>
    public SoundFeatures Hear(SoundPart sound, int maxWindows, int view = 0)
    {
        if (_cache is null)
            return Read(sound, maxWindows, view, view == 0 ? "" : HashOf(sound.Path));
        string content = HashOf(sound.Path);
        string key = Key($"{content}|{sound.Start:R}|{sound.Duration:R}|{_cut.Describe(maxWindows)}|{view}|{_settings}");
        return _cache.Get(key, () => Read(sound, maxWindows, view, content));
    }

    /// <summary>The hash of what a checkpoint or sound file holds.</summary>
    public static string Key(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private SoundFeatures Read(SoundPart sound, int maxWindows, int view, string content)
    {
        float[,] samples = _cut.Read(sound, maxWindows);
        var random = SplitMix.For(content, (ulong)view);
        return Compute(samples, view == 0 ? null : new Random((int)random.Next()));
    }

    private SoundFeatures Compute(float[,] samples, Random? variation)
    {
        int count = samples.GetLength(0), at = 0, atOnce = _encoder.Options.WindowsAtOnce;
        var parts = new List<float[]>();
        long[] shape = [];
        _turn.Wait();
        try
        {
            using var scope = NewDisposeScope();
            using var quiet = no_grad();
            using var all = tensor(samples);                                     // [w, s]
            for (; at < count; at += atOnce)
            {
                using var few = NewDisposeScope();
                var windows = all.narrow(0, at, Math.Min(atOnce, count - at)).to(_device);
                var result = Features(windows, variation);                       // [w, h, c] or [w, f, m]
                shape = [count, .. result.shape[1..]];
                parts.Add(result.to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray());
            }
        }
        finally
        {
            _turn.Release();
        }
        return new SoundFeatures(shape, parts.Count == 1 ? parts[0] : [.. parts.SelectMany(p => p)]);
    }

    private Tensor Features(Tensor windows, Random? variation)
    {
        if (variation is null && !_spectrograms)
            return _encoder.forward(windows);
        var mel = _encoder.LogMel(windows);                                      // [w, f, m]
        if (variation is not null)
        {
            float[] values = mel.to(ScalarType.Float32, CPU).contiguous().data<float>().ToArray();
            int size = values.Length / (int)mel.shape[0];
            for (int i = 0; i < values.Length; i += size)
                _augmentation.Vary(values.AsSpan(i, size), variation);
            mel = tensor(values, mel.shape).to(_device);
        }
        return _spectrograms ? mel : _encoder.ForwardLogMel(mel);
    }

    private string HashOf(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{path}' does not exist; check the path.");
        return _hashes.GetOrAdd((path, file.LastWriteTimeUtc, file.Length), _ =>
        {
            try
            {
                using var stream = File.OpenRead(path);
                return Convert.ToHexStringLower(SHA256.HashData(stream));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new FlamingoException(FlamingoErrorKind.Input, string.Create(CultureInfo.InvariantCulture, $"'{path}' cannot be read: {e.Message}"), e);
            }
        });
    }
}
