using System.CommandLine;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Options;

/// <summary>The options that every verb which answers about files has, and the line that tells them all.</summary>
internal sealed class RunOptions
{
    public ModelOptions Model { get; } = new();

    public HearingOptions Hearing { get; } = new();

    public AnsweringOptions Answering { get; } = new();

    public Option<int> Batch { get; } = new("--batch")
    {
        Description = "Files (or segments) answered together; the answers are those that each alone would get.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
        Validators = { r => r.AtLeast(1) },
    };

    public Option<bool> ShowPrompt { get; } = new("--show-prompt") { Description = "Also print exactly what the model reads (standard error, or a JSON field)." };

    public Option<bool> Json { get; } = new("--json") { Description = "One JSON object a file (or segment), each on its line." };

    public Option<bool> Verbose { get; } = new("--verbose", "-v") { Description = "Also say what the file is, and how long everything took." };

    public void AddTo(Command command)
    {
        Model.AddTo(command);
        Hearing.AddTo(command);
        Answering.AddTo(command);
        foreach (Option option in new Option[] { Batch, ShowPrompt, Json, Verbose })
            command.Add(option);
    }

    /// <summary>An answer with everything that is needed to repeat it.</summary>
    public AnswerLine LineOf(
        ParseResult parse, Flamingo flamingo, GenerationOptions generation, Answer answer, string file, string sound, IReadOnlyList<string> warnings,
        ReasonedAnswer? thought = null) =>
        LineOf(parse, flamingo, answer.Text, (answer.PromptTokens, answer.SecondsHeard, answer.SecondsDropped), file, sound, warnings) with
        {
            Summary = thought?.Summary,
            Caption = thought?.Caption,
            Reasoning = thought?.Reasoning,
            Conclusion = thought?.Conclusion,
            Resumed = thought?.Resumed[0],
            Finish = AnswerLine.NameOf(answer.Candidates[0].Finish),
            Tokens = answer.Candidates[0].Tokens,
            Candidates = answer.Candidates.Count > 1 ? [.. answer.Candidates.Select((c, i) => CandidateLine.Of(c, thought?.Thoughts[i]))] : null,
            Generation = GenerationFacts.Of(generation, answer.Seed),
        };

    /// <summary>A choice with everything that is needed to repeat it.</summary>
    public AnswerLine LineOf(ParseResult parse, Flamingo flamingo, ChoiceOptions options, Choice choice, string file, string sound, IReadOnlyList<string> warnings) =>
        LineOf(parse, flamingo, choice.Text, (choice.PromptTokens, choice.SecondsHeard, choice.SecondsDropped), file, sound, warnings) with
        {
            Label = choice.Text,
            Probability = Math.Round(choice.Best.Probability, 6),
            Probabilities = [.. choice.Answers.Select(ProbabilityLine.Of)],
            Score = options.Score == ChoiceScore.Sum ? "sum" : "mean",
        };

    private AnswerLine LineOf(
        ParseResult parse, Flamingo flamingo, string text, (int PromptTokens, double Heard, double Dropped) read, string file, string sound, IReadOnlyList<string> warnings) => new()
        {
            File = file,
            Text = text,
            PromptTokens = read.PromptTokens,
            SecondsHeard = Math.Round(read.Heard, 3),
            SecondsDropped = Math.Round(read.Dropped, 3),
            Sound = sound,
            Warnings = warnings,
            Model = flamingo.Config.Name,
            Device = Model.DeviceOf(parse),
            Dtype = ModelOptions.NameOf(Model.TypeOf(parse)),
        };
}
