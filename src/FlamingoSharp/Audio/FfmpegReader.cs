using System.ComponentModel;
using System.Diagnostics;

namespace FlamingoSharp.Audio;

/// <summary>Reads every other format through the <c>ffmpeg</c> executable, which writes a WAV stream that <see cref="WaveReader"/> reads.</summary>
/// <remarks>
/// Samples come as 64-bit floats, so that integers keep libsndfile's scale exactly and nothing is clipped; of an mp3 they come as 16-bit
/// integers, as in the reference. The file is the only thing ffmpeg may open: no network, no playlists, no other files.
/// </remarks>
internal sealed class FfmpegReader : ISampleReader
{
    // Containers that hold sound and cannot name other files.
    private const string Containers =
        "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,dtshd,eac3,flac,flv,gsm,m4v,matroska,webm,mlp,mov,mp4,m4a,3gp,3g2,mj2,mp3,"
        + "mpc,mpc8,mpeg,mpegts,nistsphere,nut,ogg,oma,rm,sbc,sln,tak,truehd,tta,voc,w64,wav,wsd,wv,xwma";

    // A place further ahead than this is sought, and reached from a little before, where the decoder finds its feet.
    private const int FarSeconds = 60, LeadInSeconds = 10;

    // From any place they give the same samples. Not so Matroska, whose time stamps are milliseconds, nor AAC, which fills in noise of its own.
    private static readonly string[] s_soughtExactly = ["FLAC", "Ogg", SoundFormat.Mp3.Name, "AIFF", "Wave64"];

    private readonly string _path;
    private readonly string _name;
    private readonly SoundFormat _format;
    private readonly string? _executable;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _killOnCancel;
    private readonly List<string> _warnings = [];
    private Process? _process;
    private FfmpegLog? _log;
    private WaveReader? _wave;
    private long _read; // frames
    private bool _ended;

    private FfmpegReader(string path, string name, SoundFormat format, string? executable, CancellationToken cancellation)
    {
        (_path, _name, _format, _executable, _cancellation) = (path, name, format, executable, cancellation);
        _killOnCancel = cancellation.Register(Kill);
    }

    public int SampleRate => _wave!.SampleRate;

    public int Channels => _wave!.Channels;

    public long? RemainingFrames => null;

    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Starts ffmpeg and reads up to the first sample.</summary>
    /// <param name="path">A file on disk.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="format">What it was found to be.</param>
    /// <param name="executable">The ffmpeg to use; null takes <see cref="SoundOptions.FfmpegVariable"/>, then the search path.</param>
    /// <param name="cancellation">Kills the process.</param>
    /// <exception cref="FlamingoException">There is no ffmpeg, or it finds no sound in the file.</exception>
    public static FfmpegReader Open(string path, string name, SoundFormat format, string? executable, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var reader = new FfmpegReader(path, name, format, executable, cancellation);
        try
        {
            reader.Begin(0);
            return reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    public long Skip(long frames, CancellationToken cancellation)
    {
        long sought = _read == 0 ? Seek(frames) : 0;
        long skipped = sought + _wave!.Skip(frames - sought, cancellation);
        if (sought > 0 && skipped < frames)
        {
            Begin(0); // the sound is shorter than its header says: only reading it tells by how much
            skipped = _wave.Skip(frames, cancellation);
        }
        Count(skipped, skipped < frames);
        return skipped;
    }

    public int Read(Span<double> interleaved)
    {
        int frames = _wave!.Read(interleaved);
        Count(frames, frames < interleaved.Length / Channels);
        return frames;
    }

    /// <inheritdoc/>
    /// <remarks>The length that the container tells spares decoding hours of sound to count them; it may be off by some milliseconds.</remarks>
    public long CountFrames(CancellationToken cancellation)
    {
        if (!_ended && _log!.WaitForDuration() is { } seconds)
            return Math.Max(_read, (long)Math.Round(seconds * SampleRate));
        while (!_ended)
            Skip(1 << 20, cancellation);
        return _read;
    }

    public void Dispose()
    {
        _killOnCancel.Dispose();
        End();
    }

    // Starts ffmpeg, in place of one that runs, and reads up to the first sample at or after a second of the sound.
    private void Begin(int second)
    {
        End();
        _process = Start(_path, _name, _format, _executable, second);
        _log = new FfmpegLog(_process.StandardError);
        var output = _process.StandardOutput.BaseStream;
        try
        {
            _wave = WaveReader.Open(output, _name);
        }
        catch (FlamingoException) when (output.ReadByte() < 0)
        {
            _cancellation.ThrowIfCancellationRequested();
            throw new FlamingoException(FlamingoErrorKind.Input, $"'{_name}' ({_format.Name}) cannot be decoded: {Reason(_path)}.");
        }
    }

    private void End()
    {
        if (_process is null)
            return;
        Kill();
        _process.WaitForExit();
        _wave?.Dispose();
        _log?.Dispose();
        _process.Dispose();
        (_process, _log, _wave) = (null, null, null);
    }

    // Lets ffmpeg begin shortly before a place far ahead, where that leads to exactly the same samples; returns the frames passed over.
    private long Seek(long frames)
    {
        double seconds = (double)frames / SampleRate;
        if (seconds < FarSeconds || !s_soughtExactly.Contains(_format.Name) || !(_log!.WaitForDuration() > seconds))
            return 0;
        int start = (int)seconds - LeadInSeconds;
        Begin(start);
        return (long)start * SampleRate;
    }

    private static Process Start(string path, string name, SoundFormat format, string? executable, int second)
    {
        executable ??= Environment.GetEnvironmentVariable(SoundOptions.FfmpegVariable) is { Length: > 0 } named ? named : "ffmpeg";
        var start = new ProcessStartInfo(executable)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        string[] arguments =
        [
            "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+info",
            "-protocol_whitelist", "file,pipe", "-format_whitelist", Containers,
            .. second > 0 ? (string[])["-ss", $"{second}"] : [],
            "-i", Address(path),
            "-map", "0:a:0", "-map_metadata", "-1", "-c:a", format == SoundFormat.Mp3 ? "pcm_s16le" : "pcm_f64le", "-f", "wav", "pipe:1",
        ];
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return process;
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new FlamingoException(
                FlamingoErrorKind.Input,
                $"'{name}' is {format.Name}; reading it needs ffmpeg, and '{executable}' cannot be started. Install it (Debian, Ubuntu: apt install ffmpeg; "
                + $"macOS: brew install ffmpeg; Windows: winget install ffmpeg), name it with {SoundOptions.FfmpegVariable}, or convert the file to WAV.",
                e);
        }
    }

    // The prefix keeps a name from being read as an option or as an address.
    private static string Address(string path) => $"file:{Path.GetFullPath(path)}";

    private void Count(long frames, bool ended)
    {
        _read += frames;
        if (!ended || _ended)
            return;
        _cancellation.ThrowIfCancellationRequested(); // a killed ffmpeg ends its stream too
        _ended = true;
        _process!.WaitForExit();
        if (_log!.Errors() is [var first, ..])
            _warnings.Add($"'{_name}' is damaged; what could be decoded was read (ffmpeg: {first}).");
    }

    private string Reason(string path)
    {
        _process!.WaitForExit();
        var errors = _log!.Errors();
        if (errors.Any(e => e.Contains("matches no streams", StringComparison.Ordinal)))
            return "it holds no sound";
        errors = [.. errors.Select(e => e.Replace($"{Address(path)}: ", "", StringComparison.Ordinal))];
        return errors.Count == 0 ? $"ffmpeg ended with code {_process.ExitCode} and no message" : $"ffmpeg says \"{errors[^1].TrimEnd('.')}\"";
    }

    private void Kill()
    {
        try
        {
            _process?.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // it has ended
        }
    }
}
