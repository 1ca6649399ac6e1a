using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli;

/// <summary>Prints the answers about files: the answer alone, or a line of JSON with everything needed to repeat it.</summary>
internal sealed class AnswerPrinter(RunOptions run, ParseResult parse, Flamingo flamingo, GenerationOptions generation)
{
    /// <summary>The labels that an answer is matched with; null for free text.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Whether the prompt is printed too.</summary>
    public bool ShowPrompt { get; init; }

    /// <summary>Whether lines begin with the file's name.</summary>
    public bool NameFiles { get; init; }

    /// <summary>Least cosine of a reranked answer; null where answers are not reranked.</summary>
    public double? Threshold { get; init; }

    /// <summary>Whether the probabilities of all given answers are printed.</summary>
    public bool ShowScores { get; init; }

    /// <summary>An answer that was chosen.</summary>
    public void Print(AskedFile asked, Choice choice, ChoiceOptions options, TimeSpan time)
    {
        if (parse.GetValue(run.Json))
        {
            var line = run.LineOf(parse, flamingo, options, choice, asked.File, asked.Sound.Description, asked.Sound.Warnings);
            Terminal.Say(JsonSerializer.Serialize(Complete(line, asked, time), CliJson.Lines.AnswerLine));
        }
        else
        {
            if (ShowPrompt && asked.Shots is not null)
                Console.Error.WriteLine(asked.Question.Prompt.Show(flamingo.Tokenizer));
            Terminal.Say((NameFiles ? $"{asked.File}: " : "") + choice.Text);
            int width = choice.Answers.Max(a => a.Text.Length);
            foreach (var answer in ShowScores ? choice.Answers : [])
                Terminal.Say(string.Create(CultureInfo.InvariantCulture, $"  {answer.Text.PadRight(width)}  {100 * answer.Probability,5:0.0} %"));
            SayVote(asked);
        }
        if (parse.GetValue(run.Verbose))
            Detail(asked, choice.SecondsHeard, time, "");
    }

    /// <summary>An answer that was generated.</summary>
    public void Print(AskedFile asked, Answer answer, ReasonedAnswer? thought, IReadOnlyList<RankedAnswer>? ranked, TimeSpan time)
    {
        var best = ranked is null ? null : Reranker.Best(ranked, Threshold!.Value);
        bool unsure = ranked is not null && best is null;
        string? label = unsure ? null : LabelOf(answer, thought, best?.Candidate ?? 0);
        if (answer.Candidates.Any(c => c.Finish == FinishReason.Length))
            Terminal.Note($"'{asked.File}': the answer was cut off after {answer.Candidates.Max(c => c.Tokens)} tokens; --max-tokens allows more.");
        if (Labels is not null && label is null && !unsure)
            Terminal.Note($"'{asked.File}': the answer is none of the labels.");
        if (thought is { Conclusion: null })
            Terminal.Note($"'{asked.File}': the model came to no <CONCLUSION>; its text is given whole.");
        if (parse.GetValue(run.Json))
            Terminal.Say(JsonSerializer.Serialize(Line(asked, answer, thought, label, ranked, best, time), CliJson.Lines.AnswerLine));
        else
            Say(asked, answer, thought, ranked, best);
        if (parse.GetValue(run.Verbose))
            Detail(asked, answer.SecondsHeard, time, string.Create(CultureInfo.InvariantCulture, $" ({answer.Timing.DecodeTokensPerSecond:0.#} tokens/s after the first)"));
    }

    private void Say(AskedFile asked, Answer answer, ReasonedAnswer? thought, IReadOnlyList<RankedAnswer>? ranked, RankedAnswer? best)
    {
        if (ShowPrompt && asked.Shots is not null)
            Console.Error.WriteLine(asked.Question.Prompt.Show(flamingo.Tokenizer));
        if (thought is not null)
            Explain(asked, thought);
        string name = NameFiles ? $"{asked.File}: " : "";
        if (ranked is not null)
        {
            Terminal.Say(name + (best is null ? RerankOptions.NotSure : LabelOf(answer, thought, best.Candidate) ?? best.Text));
            if (ranked.Count > 0)
            {
                Terminal.Note(string.Create(CultureInfo.InvariantCulture,
                    $"'{asked.File}': of {answer.Candidates.Count} answers, {ranked.Count} different, \"{ranked[0].Text}\" fits the sound best ({ranked[0].Similarity:0.000}; --threshold {Threshold:0.###})."));
            }
        }
        else
        {
            for (int i = 0; i < answer.Candidates.Count; i++)
                Terminal.Say(name + (LabelOf(answer, thought, i) ?? Said(answer, thought, i)));
        }
        SayVote(asked);
    }

    private static void SayVote(AskedFile asked)
    {
        if (asked.Vote is { } vote)
        {
            Terminal.Note(vote.Count == 0
                ? $"'{asked.File}': the index has no neighbour to vote."
                : $"'{asked.File}': the {vote.Sum(v => v.Votes)} votes of the nearest sounds alone: {string.Join(", ", vote.Select(v => $"{v.Label} {v.Votes}"))}.");
        }
    }

    private static string Said(Answer answer, ReasonedAnswer? thought, int candidate) =>
        thought?.Thoughts[candidate].Conclusion ?? answer.Candidates[candidate].Text;

    private string? LabelOf(Answer answer, ReasonedAnswer? thought, int candidate) =>
        Labels is null ? null : LabelMatch.Find(Said(answer, thought, candidate), Labels);

    private static void Explain(AskedFile asked, ReasonedAnswer thought)
    {
        foreach (var (name, text) in new[] { ("summary", thought.Summary), ("caption", thought.Caption), ("reasoning", thought.Reasoning) })
        {
            if (text is not null)
                Terminal.Note($"'{asked.File}': {name}: {text}");
        }
    }

    private static void Detail(AskedFile asked, double seconds, TimeSpan time, string speed)
    {
        double total = (asked.Time + time).TotalSeconds;
        Terminal.Note(string.Create(CultureInfo.InvariantCulture,
            $"'{asked.File}': {asked.Sound.Description}; heard {seconds:0.0} s in {asked.Time.TotalSeconds:0.00} s, answered in {time.TotalSeconds:0.00} s{speed}, {total / seconds:0.00} times real time."));
    }

    private AnswerLine Complete(AnswerLine line, AskedFile asked, TimeSpan time) => line with
    {
        Prompt = ShowPrompt ? asked.Question.Prompt.Show(flamingo.Tokenizer) : null,
        HearSeconds = Math.Round(asked.Time.TotalSeconds, 4),
        AnswerSeconds = Math.Round(time.TotalSeconds, 4),
        Shots = ShotLine.Of(asked.Shots),
        Vote = asked.Vote?.Select(v => new VoteLine(v.Label, v.Votes, Math.Round(v.Similarity, 6))).ToList(),
    };

    private AnswerLine Line(
        AskedFile asked, Answer answer, ReasonedAnswer? thought, string? label, IReadOnlyList<RankedAnswer>? ranked, RankedAnswer? best, TimeSpan time)
    {
        var line = Complete(run.LineOf(parse, flamingo, generation, answer, asked.File, asked.Sound.Description, asked.Sound.Warnings, thought) with { Label = label }, asked, time);
        return ranked is null ? line : line with
        {
            Text = best?.Text ?? RerankOptions.NotSure,
            Sure = best is not null,
            Ranked = [.. ranked.Select(r => new RankedLine(r.Text, Math.Round(r.Similarity, 6)))],
        };
    }
}
