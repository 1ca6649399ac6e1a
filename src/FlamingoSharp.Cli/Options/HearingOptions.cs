using System.CommandLine;
using System.Globalization;

namespace FlamingoSharp.Cli.Options;

/// <summary>Which part of a file is heard, and what is said about the rest.</summary>
internal sealed class HearingOptions
{
    private const double Unnoticed = 0.05; // seconds that nobody misses

    private readonly Option<double> _start = new("--start") { Description = "Seconds of the file to skip.", HelpName = "SECONDS" };

    private readonly Option<double?> _duration = new("--duration")
    {
        Description = "Seconds to hear at most. Default: as many as the model can hear.",
        HelpName = "SECONDS",
    };

    public void AddTo(Command command)
    {
        command.Add(_start);
        command.Add(_duration);
    }

    /// <summary>The part of a file that is meant: its start and its length, in seconds; the length is null where none was given.</summary>
    public (double Start, double? Duration) PartOf(ParseResult parse) => (parse.GetValue(_start), parse.GetValue(_duration));

    /// <summary>Hears a file, and says what was odd about it and what is not heard.</summary>
    /// <exception cref="FlamingoException">The file is no sound.</exception>
    public Sound Hear(Flamingo flamingo, string file, ParseResult parse, CancellationToken cancellation)
    {
        var (start, duration) = PartOf(parse);
        var sound = Terminal.Track("Hearing", bar => flamingo.Hear(
            file, start, duration, new CallbackProgress<HearingProgress>(p => bar((double)p.WindowsDone / p.WindowsTotal)), cancellation));
        foreach (string warning in sound.Warnings)
            Terminal.Warn(warning);
        double wanted = Math.Min(duration ?? double.MaxValue, sound.SecondsHeard + sound.SecondsDropped);
        if (sound.SecondsHeard < wanted - Unnoticed)
        {
            Terminal.Note(string.Create(CultureInfo.InvariantCulture,
                $"'{file}': heard {sound.SecondsHeard:0.0} s of {wanted:0.0} s; the rest does not fit this model: hear it with --start {start + sound.SecondsHeard:0.0}."));
        }
        return sound;
    }
}
