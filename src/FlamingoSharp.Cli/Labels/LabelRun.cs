using System.CommandLine;
using System.ComponentModel;
using FlamingoSharp.Audio;
using FlamingoSharp.Cli.Options;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Generation;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Distributed;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Cli.Labels;

/// <summary>What <c>flamingo label</c> does: one text for each of many sounds, each exactly once, however often the run is stopped.</summary>
internal sealed class LabelRun
{
    private readonly ModelOptions _model = new();
    private readonly HearingOptions _hearing = new();
    private readonly AnsweringOptions _answering = new();

    private readonly Option<string> _out = new("--out", "-o") { Description = "Receives a JSON object for each sound, in the order of the sounds, once all are there.", HelpName = "FILE", Required = true };

    private readonly Option<bool> _restart = new("--restart") { Description = "Begin anew, whatever is there." };

    private readonly Option<string?> _shard = new("--shard")
    {
        Description = "Label one part of the sounds, 1/4 to 4/4, where several runs share them without mpirun; each writes its own file.",
        HelpName = "I/N",
    };

    private readonly Option<int> _batch = new("--batch")
    {
        Description = "Sounds answered together; the texts are those that each alone would get.",
        HelpName = "N",
        DefaultValueFactory = _ => 8,
        Validators = { r => r.AtLeast(1) },
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { _out, _restart, _shard, _batch })
            command.Add(option);
        _model.AddTo(command);
        _hearing.AddTo(command);
        _answering.AddTo(command);
        command.Validators.Add(c =>
        {
            if (c.GetResult(_shard) is { Tokens: [var token] } && LabelShard.Parse(token.Value) is null)
                c.AddError($"'{token.Value}' is no part; write --shard 2/4 for the second of four.");
        });
    }

    /// <summary>Labels all sounds.</summary>
    /// <returns>0, or the code of bad input if a sound could not be read.</returns>
    public int Run(ParseResult parse, TaskPrompt task, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        _answering.Read(parse); // contradictions are said before anything is loaded
        string output = parse.GetValue(_out)!;
        bool restart = parse.GetValue(_restart);
        LabelJournal.CheckFree(output, restart);
        var shard = parse.GetValue(_shard) is { } named ? LabelShard.Parse(named) : null;
        LabelKey[] sounds = [.. LabelInputs.Read(arguments).Select(s => WithPart(s, parse)).Where(s => shard?.Has(s) ?? true)];

        var mpi = MpiCommunicator.Join();
        bool speaks = mpi is null or { Rank: 0 };
        using var flamingo = _model.Load(parse);
        var prompt = flamingo.Config.Prompts.Ask(task);
        prompt.EncodeFor(flamingo.Tokenizer, flamingo.Config.Language.MaxPositions);
        var labelling = new Labelling(flamingo, prompt, task.Plain ?? task.Prompt, _answering.Read(parse, flamingo.Config.Generation));
        var work = new LabelWork(
            Fingerprint.OfModel(_model.FolderOf(parse), cancellation), flamingo.Config.Windows.MaxWindows, prompt.Show(flamingo.Tokenizer),
            GenerationFacts.Of(labelling.Generation), ModelOptions.NameOf(_model.TypeOf(parse)), shard?.ToString());
        using var journal = LabelJournal.Open(output, work, restart, mpi);
        var left = journal.Left(sounds);
        if (speaks && journal.Done > 0)
            Terminal.Note($"{journal.Done} sounds are done already; the others follow.");
        try
        {
            Terminal.Track("Labelling", bar => Label(labelling, journal, [.. left.Chunk(parse.GetValue(_batch))], bar, cancellation));
        }
        catch (OperationCanceledException) when (speaks)
        {
            Terminal.Note("what is done is kept; the same command continues after it.");
            throw;
        }
        int unreadable = journal.Complete(sounds);
        if (speaks)
            Terminal.Note($"{sounds.Length - unreadable} sounds are labelled in '{output}'{(unreadable == 0 ? "." : $"; {unreadable} could not be read, and their lines say why.")}");
        return unreadable == 0 ? ExitCode.Ok : ExitCode.Input;
    }

    private sealed record Labelling(Flamingo Flamingo, Prompt Prompt, string Question, GenerationOptions Generation);

    private sealed record Reading(LabelKey Sound, Recording? Recording, string? Error);

    // A manifest's own part goes before that of the command line.
    private LabelKey WithPart(LabelKey sound, ParseResult parse)
    {
        var (start, duration) = _hearing.PartOf(parse);
        return sound.Start is null && sound.Duration is null ? sound with { Start = start > 0 ? start : null, Duration = duration } : sound;
    }

    private static bool Label(Labelling work, LabelJournal journal, IReadOnlyList<LabelKey[]> batches, Action<double> bar, CancellationToken cancellation)
    {
        Task<List<Reading>> Read(int batch) => Task.Run(() => batches[batch].Select(s => ReadSound(work, s, cancellation)).ToList(), cancellation);

        var ahead = batches.Count > 0 ? Read(0) : null;
        for (int i = 0; i < batches.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var readings = ahead!.GetAwaiter().GetResult();
            ahead = i + 1 < batches.Count ? Read(i + 1) : null; // while the model is busy with these
            journal.Add(Answer(work, readings, cancellation));
            bar((i + 1.0) / batches.Count);
        }
        return true;
    }

    private static Reading ReadSound(Labelling work, LabelKey sound, CancellationToken cancellation)
    {
        try
        {
            var options = SoundOptions.For(work.Flamingo.Config.Windows, sound.Start ?? 0, sound.Duration);
            return new Reading(sound, SoundFile.Load(sound.File, options, cancellation), null);
        }
        // A missing ffmpeg is no fault of the sound: installing it helps, going on does not.
        catch (FlamingoException e) when (e.Kind == FlamingoErrorKind.Input && e.InnerException is not Win32Exception)
        {
            Terminal.Fail(e);
            return new Reading(sound, null, e.Message);
        }
    }

    private static List<LabelLine> Answer(Labelling work, List<Reading> readings, CancellationToken cancellation)
    {
        var heard = new List<(Reading Reading, Sound Sound)>();
        try
        {
            foreach (var reading in readings.Where(r => r.Recording is not null))
                heard.Add((reading, work.Flamingo.Hear(reading.Recording!, cancellation: cancellation)));
            var answers = work.Flamingo.Answer([.. heard.Select(h => new Question(work.Prompt, h.Sound))], work.Generation, cancellation);
            var texts = heard.Zip(answers, (h, a) => LineOf(work, h.Reading.Sound, h.Sound, a)).ToDictionary(l => l.Key);
            return [.. readings.Select(r => texts.GetValueOrDefault(r.Sound) ?? new LabelLine { File = r.Sound.File, Start = r.Sound.Start, Duration = r.Sound.Duration, Error = r.Error })];
        }
        finally
        {
            heard.ForEach(h => h.Sound.Dispose());
        }
    }

    private static LabelLine LineOf(Labelling work, LabelKey key, Sound sound, Answer answer) => new()
    {
        File = key.File,
        Start = key.Start,
        Duration = key.Duration,
        Text = answer.Text,
        Candidates = answer.Candidates.Count > 1 ? [.. answer.Candidates.Select(c => CandidateLine.Of(c, thought: null))] : null,
        Finish = AnswerLine.NameOf(answer.Candidates[0].Finish),
        Tokens = answer.Candidates[0].Tokens,
        SecondsHeard = Math.Round(answer.SecondsHeard, 3),
        SecondsDropped = Math.Round(answer.SecondsDropped, 3),
        Warnings = sound.Warnings.Count > 0 ? sound.Warnings : null,
        Model = work.Flamingo.Config.Name,
        Question = work.Question,
        Generation = GenerationFacts.Of(work.Generation, answer.Seed),
    };
}
