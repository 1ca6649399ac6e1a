using System.Globalization;
using FlamingoSharp.Embeddings;

namespace FlamingoSharp.Cli;

/// <summary>What the verbs that use a CLAP model share: one file after another is embedded.</summary>
internal static class ClapRun
{
    private const double Unnoticed = 0.05; // seconds that nobody misses

    /// <summary>Embeds every file and hands it over; says what is odd or not heard, and goes on after a bad one.</summary>
    /// <returns>0, or the exit code of the first error.</returns>
    public static int Each(
        IReadOnlyList<string> files, ClapModel clap, double start, double? duration, Action<string, SoundEmbedding> use, CancellationToken cancellation)
    {
        int code = ExitCode.Ok;
        foreach (string file in files)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                var sound = clap.EmbedAudio(file, start, duration, cancellation);
                foreach (string warning in sound.Warnings)
                    Terminal.Warn(warning);
                if (duration is null && sound.SecondsDropped > Unnoticed)
                {
                    Terminal.Note(string.Create(CultureInfo.InvariantCulture,
                        $"'{file}': heard {sound.SecondsHeard:0.0} s of {sound.SecondsHeard + sound.SecondsDropped:0.0} s; the rest does not fit this model: hear it with --start {start + sound.SecondsHeard:0.0}."));
                }
                use(file, sound);
            }
            catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input)
            {
                int failed = Terminal.Fail(e);
                code = code == ExitCode.Ok ? failed : code;
            }
        }
        return code;
    }
}
