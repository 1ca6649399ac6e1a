using System.Runtime.CompilerServices;
using FlamingoSharp.Audio;
using FlamingoSharp.Generation;
using FlamingoSharp.Text;

namespace FlamingoSharp;

/// <summary>What a model says about one segment of a longer sound.</summary>
/// <param name="Index">Number of the segment, from 0.</param>
/// <param name="StartSeconds">Where it begins in the file.</param>
/// <param name="EndSeconds">Where it ends.</param>
/// <param name="Description">One line on the file.</param>
/// <param name="Warnings">What was odd about the file so far.</param>
/// <param name="Answer">What the segment alone would be answered with.</param>
public sealed record TimedAnswer(
    int Index, double StartSeconds, double EndSeconds, string Description, IReadOnlyList<string> Warnings, Answer Answer)
{
    /// <summary>The best text.</summary>
    public string Text => Answer.Text;
}

/// <summary>Captions with times, by moving over a sound of any length.</summary>
public static class SegmentCaptions
{
    /// <summary>Carries out a task on one segment of a file after another, each as if it were alone; memory does not grow with the file.</summary>
    /// <param name="flamingo">The model.</param> <param name="path">A sound file of any format; hours long if need be.</param>
    /// <param name="segments">How it is cut, and which segment is the first to be heard; null cuts it into 10 seconds.</param>
    /// <param name="task">What is asked of each; null asks for a caption.</param>
    /// <param name="options">Null answers greedily.</param> <param name="cancellation">Checked before every token.</param>
    /// <exception cref="FlamingoException">The file is missing, empty or no sound, or the options contradict themselves or the model.</exception>
    /// <example><code>
    /// await foreach (var heard in flamingo.CaptionSegmentsAsync("day.flac", new SegmentOptions { Seconds = 20 }))
    ///     Console.WriteLine($"{TimeSpan.FromSeconds(heard.StartSeconds)} {heard.Text}");
    /// </code></example>
    public static async IAsyncEnumerable<TimedAnswer> CaptionSegmentsAsync(
        this Flamingo flamingo, string path, SegmentOptions? segments = null, TaskPrompt? task = null, GenerationOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(flamingo);
        segments ??= new SegmentOptions();
        segments.Validate(flamingo.Config.Windows);
        var prompt = flamingo.Config.Prompts.Ask(task ?? TaskPrompts.Caption);
        using var reader = new SegmentReader(path, segments, flamingo.Config.Windows.SampleRate, cancellation);
        List<TimedAnswer> answers;
        do
        {
            answers = await Task.Run(() => AnswerNext(flamingo, reader, segments.Batch, prompt, options, cancellation), cancellation).ConfigureAwait(false);
            foreach (var answer in answers)
                yield return answer;
        }
        while (answers.Count == segments.Batch);
    }

    private static List<TimedAnswer> AnswerNext(
        Flamingo flamingo, SegmentReader reader, int most, Prompt prompt, GenerationOptions? options, CancellationToken cancellation)
    {
        var heard = new List<(int Index, double Start, double End, Sound Sound)>();
        try
        {
            while (heard.Count < most && reader.Next(cancellation) is var (index, recording))
                heard.Add((index, recording.StartSeconds, recording.StartSeconds + recording.SecondsUsed, flamingo.Hear(recording, cancellation: cancellation)));
            if (heard.Count == 0)
                return [];
            var answers = flamingo.Answer([.. heard.Select(h => new Question(prompt, h.Sound))], options, cancellation);
            return [.. heard.Zip(answers, (h, a) => new TimedAnswer(h.Index, h.Start, h.End, h.Sound.Description, h.Sound.Warnings, a))];
        }
        finally
        {
            heard.ForEach(h => h.Sound.Dispose());
        }
    }
}
