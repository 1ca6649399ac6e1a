using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training.Distributed;
using FlamingoSharp.Training.Stages;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train finetune</c>: a model learns a user's own classes.</summary>
internal sealed class TrainFineTuneVerb : TrainStageVerb
{
    private readonly Option<int?> _lora = new("--lora")
    {
        Description = "Train adapters of this rank in place of the whole language model; they are merged into the model that is written.",
        HelpName = "RANK",
        Validators = { r => r.AtLeast(1) },
    };

    public TrainFineTuneVerb()
        : base(FineTuning.Stage, "Teach a model your own classes: from a data set to a model that 'flamingo classify' uses, in minutes.",
            "flamingo data build my-sounds --out my-set && flamingo train finetune --data my-set --out my-model",
            "flamingo classify clip.wav --model my-model",
            "flamingo train finetune --data my-set --out my-model --model models/af1-foundation --lora 8") => Add(_lora);

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        string[] lora = parse.GetValue(_lora) is { } rank ? [$"lora_config.rank={rank}"] : [];
        Train(parse, [.. lora, .. Changes(parse)], cancellation, TimeSpan.FromMinutes(10));
        string set = parse.GetValue(Data)!, folder = Training.FolderOf(parse);
        if (!TrainingProcesses.IsFirst)
            return Task.FromResult(ExitCode.Ok);
        if (Terminal.Track("Asking the new model", bar => FineTuning.Evaluate(set, folder, bar, cancellation)) is { } report)
        {
            Print(report);
            FineTuning.AddToPage(report, folder, cancellation);
        }
        Terminal.Say($"{folder} is ready: flamingo classify FILE --model {folder}");
        return Task.FromResult(ExitCode.Ok);
    }

    private static void Print(FineTuneReport report)
    {
        var rows = new Rows();
        rows.Add($"{report.Sounds} sounds of the split '{report.Split}', which the model was not trained on", "right");
        rows.Add("the model", Share(report.Accuracy) + (report.NoLabel > 0 ? $" ({Share(report.NoLabel)} answered with none of the labels)" : ""));
        rows.Add("baseline: the encoder's nearest class mean", Share(report.NearestMean));
        rows.Add("baseline: the most frequent label", Share(report.MostFrequent));
        foreach (var (label, answers) in report.Confusion)
        {
            var wrong = answers.Where(a => a.Key != label).OrderByDescending(a => a.Value).Select(a => $"{a.Key} {a.Value}");
            int all = answers.Values.Sum();
            rows.Add($"  {label}", string.Create(CultureInfo.InvariantCulture, $"{answers.GetValueOrDefault(label)} of {all}{string.Concat(wrong.Select((w, i) => (i == 0 ? "; taken for " : ", ") + w))}"));
        }
        rows.Print();
    }

    private static string Share(double share) => share.ToString("P0", CultureInfo.InvariantCulture);
}
