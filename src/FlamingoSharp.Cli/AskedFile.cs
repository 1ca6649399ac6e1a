using System.Diagnostics;
using FlamingoSharp.Cli.Retrieval;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli;

/// <summary>A file, what is asked about it, and the examples that are shown first.</summary>
internal sealed record AskedFile(string File, Sound Sound, Question Question, TimeSpan Time) : IDisposable
{
    /// <summary>The examples; null where none were asked for.</summary>
    public ShotSet? Shots { get; init; }

    /// <summary>What the neighbours in the index alone say, the winner first; null where that was not asked.</summary>
    public IReadOnlyList<LabelVote>? Vote { get; init; }

    /// <summary>A file with its examples, which are heard here.</summary>
    /// <exception cref="FlamingoException">An example cannot be read, or there is none.</exception>
    public static async Task<AskedFile> WithExamplesAsync(
        Flamingo flamingo, TaskPrompt task, ShotSource source, string file, Sound sound, IReadOnlyList<string>? labels, (double Start, double? Duration) part,
        bool vote, Stopwatch watch, CancellationToken cancellation)
    {
        var shots = await source.ForAsync(file, labels, part, cancellation).ConfigureAwait(false);
        var votes = vote ? await source.VoteAsync(file, labels, part, cancellation).ConfigureAwait(false) : null;
        var heard = new List<Sound>();
        try
        {
            foreach (var shot in shots.Entries)
                heard.Add(flamingo.Hear(shot.Path, shot.StartSeconds, shot.DurationSeconds, cancellation: cancellation));
            return new AskedFile(file, sound, FewShot.Ask(flamingo.Config.Prompts, task, shots, heard, sound), watch.Elapsed) { Shots = shots, Vote = votes };
        }
        catch
        {
            heard.ForEach(s => s.Dispose());
            throw;
        }
    }

    /// <summary>Frees the sounds, those of the examples too.</summary>
    public void Dispose()
    {
        foreach (var sound in Question.Sounds)
            sound.Dispose();
    }
}
