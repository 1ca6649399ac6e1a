using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;

namespace FlamingoSharp.Cli;

/// <summary>A file as the model has heard it.</summary>
/// <param name="File">The path.</param> <param name="Sound">What was heard.</param> <param name="Time">How long that took.</param>
internal sealed record HeardFile(string File, Sound Sound, TimeSpan Time);

/// <summary>Prints the answers about files, as text or as JSON.</summary>
internal sealed class AnswerPrinter(
    RunOptions run, ParseResult parse, Flamingo flamingo, GenerationOptions generation, AnswerRequest request, string? prompt, bool nameFiles)
{
    /// <summary>An answer that was generated.</summary>
    public void Print(HeardFile heard, Answer answer, ReasonedAnswer? thought, TimeSpan time)
    {
        string? label = LabelOf(answer, thought, 0);
        if (answer.Candidates.Any(c => c.Finish == FinishReason.Length))
            Terminal.Note($"'{heard.File}': the answer was cut off after {answer.Candidates.Max(c => c.Tokens)} tokens; --max-tokens allows more.");
        if (request.Labels is not null && label is null)
            Terminal.Note($"'{heard.File}': the answer is none of the labels.");
        if (thought is { Conclusion: null })
            Terminal.Note($"'{heard.File}': the model came to no <CONCLUSION>; its text is given whole.");
        if (parse.GetValue(run.Json))
            Say(run.LineOf(parse, flamingo, generation, answer, heard.File, heard.Sound.Description, heard.Sound.Warnings, thought) with { Label = label }, heard, time);
        else
        {
            if (thought is not null)
                Explain(heard, thought);
            for (int i = 0; i < answer.Candidates.Count; i++)
                Say(heard, LabelOf(answer, thought, i) ?? Said(answer, thought, i));
        }
        Detail(heard, answer.SecondsHeard, time, string.Create(CultureInfo.InvariantCulture, $" ({answer.Timing.DecodeTokensPerSecond:0.#} tokens/s after the first)"));
    }

    /// <summary>An answer that was chosen.</summary>
    public void Print(HeardFile heard, Choice choice, ChoiceOptions options, TimeSpan time)
    {
        if (parse.GetValue(run.Json))
            Say(run.LineOf(parse, flamingo, options, choice, heard.File, heard.Sound.Description, heard.Sound.Warnings), heard, time);
        else
        {
            Say(heard, choice.Text);
            int width = choice.Answers.Max(a => a.Text.Length);
            foreach (var answer in request.ShowScores ? choice.Answers : [])
                Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"  {answer.Text.PadRight(width)}  {100 * answer.Probability,5:0.0} %"));
        }
        Detail(heard, choice.SecondsHeard, time, "");
    }

    private static string Said(Answer answer, ReasonedAnswer? thought, int candidate) =>
        thought?.Thoughts[candidate].Conclusion ?? answer.Candidates[candidate].Text;

    private string? LabelOf(Answer answer, ReasonedAnswer? thought, int candidate) =>
        request.Labels is { } labels ? LabelMatch.Find(Said(answer, thought, candidate), labels) : null;

    private static void Explain(HeardFile heard, ReasonedAnswer thought)
    {
        foreach (var (name, text) in new[] { ("summary", thought.Summary), ("caption", thought.Caption), ("reasoning", thought.Reasoning) })
        {
            if (text is not null)
                Terminal.Note($"'{heard.File}': {name}: {text}");
        }
    }

    private void Say(HeardFile heard, string text) => Terminal.Say((nameFiles ? $"{heard.File}: " : "") + text);

    private void Say(AnswerLine line, HeardFile heard, TimeSpan time) => Terminal.Say(JsonSerializer.Serialize(line with
    {
        Prompt = prompt,
        HearSeconds = Math.Round(heard.Time.TotalSeconds, 4),
        AnswerSeconds = Math.Round(time.TotalSeconds, 4),
    }, CliJson.Lines.AnswerLine));

    private void Detail(HeardFile heard, double seconds, TimeSpan time, string speed)
    {
        if (!parse.GetValue(run.Verbose))
            return;
        double total = (heard.Time + time).TotalSeconds;
        Terminal.Note(string.Create(CultureInfo.InvariantCulture,
            $"'{heard.File}': {heard.Sound.Description}; heard {seconds:0.0} s in {heard.Time.TotalSeconds:0.00} s, answered in {time.TotalSeconds:0.00} s{speed}, {total / seconds:0.00} times real time."));
    }
}
