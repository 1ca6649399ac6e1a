using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests;

/// <summary>Long sounds, and the public face over a tiny model in the form of Audio Flamingo 2.</summary>
public sealed class LongSoundTests : IClassFixture<LongSoundTests.Folder>
{
    private static readonly GenerationOptions Short = new() { MaxNewTokens = 12 };
    private readonly string _folder;

    public LongSoundTests(Folder folder) => _folder = folder.Model.Folder;

    [Fact, NoTensorLeak]
    public void A_long_sound_is_encoded_a_few_windows_at_a_time_and_says_how_far_it_is()
    {
        using var scope = NewDisposeScope();
        using var flamingo = Flamingo.Load(_folder, new() { MaxWindows = 30, WindowsAtOnce = 4 });
        var told = new Told();
        using var sound = flamingo.Hear(TinyModel.Recording(1, seconds: 10.5), told);

        Assert.Equal((11, 10.5, 0), (sound.Windows, sound.SecondsHeard, sound.SecondsDropped));
        Assert.Equal([(0, 11), (4, 11), (8, 11), (11, 11)], told.Seen.Select(p => (p.WindowsDone, p.WindowsTotal)));

        using var unwatched = flamingo.Hear(TinyModel.Recording(1, seconds: 10.5));
        TensorAssert.Close(sound.Encodings, unwatched.Encodings, 0);
        using var start = flamingo.Hear(TinyModel.Recording(1, seconds: 3.9)); // windows do not overlap: the first three are the same
        TensorAssert.Close(start.Encodings.narrow(0, 0, 3), sound.Encodings.narrow(0, 0, 3), 0.02); // but for the peak, which is another
        Assert.NotEqual("", flamingo.Caption(sound, Short).Text);
    }

    [Fact, NoTensorLeak]
    public void Without_the_option_a_model_hears_what_its_configuration_says()
    {
        using var flamingo = Flamingo.Load(_folder);
        using var sound = flamingo.Hear(TinyModel.Recording(1, seconds: 10.5));
        Assert.Equal((4, 4.0, 6.5), (sound.Windows, sound.SecondsHeard, sound.SecondsDropped));
    }

    [Fact, NoTensorLeak]
    public void A_long_sound_can_be_stopped_between_windows()
    {
        using var flamingo = Flamingo.Load(_folder, new() { MaxWindows = 30, WindowsAtOnce = 4 });
        using var stop = new CancellationTokenSource();
        var told = new Told(p =>
        {
            if (p.WindowsDone == 4)
                stop.Cancel();
        });
        Assert.ThrowsAny<OperationCanceledException>(() => flamingo.Hear(TinyModel.Recording(1, seconds: 20), told, stop.Token));
        Assert.Equal([0, 4], told.Seen.Select(p => p.WindowsDone));
        using var sound = flamingo.Hear(TinyModel.Recording(1)); // the model is free again
        Assert.Equal(2, sound.Windows);
    }

    [Fact, NoTensorLeak]
    public void Sounds_of_different_lengths_share_a_batch_and_none_hears_the_filling()
    {
        using var flamingo = Flamingo.Load(_folder, new() { MaxWindows = 30, WindowsAtOnce = 4 });
        using Sound shortest = flamingo.Hear(TinyModel.Recording(1, seconds: 0.5)), longest = flamingo.Hear(TinyModel.Recording(2, seconds: 9));
        Question[] questions =
        [
            Ask(flamingo, "What is heard?", shortest),
            Ask(flamingo, "What is heard, and where does it come from?", longest),
            new(flamingo.Config.Prompts.Ask("", "Nothing is heard.", sounds: 0)),
            new(flamingo.Config.Prompts.Ask("", "Which is louder?", sounds: 2), shortest, longest),
        ];
        var together = flamingo.Answer(questions, Short);
        var alone = questions.Select(q => flamingo.Answer([q], Short)[0]).ToList();
        Assert.Equal(alone.Select(a => a.Text), together.Select(a => a.Text));
        Assert.True(together.Select(a => a.Text).Distinct().Count() >= 3, "The sounds and questions should matter.");
    }

    [Fact, NoTensorLeak]
    public void Beams_are_scored_by_the_rule_of_the_model()
    {
        using var flamingo = Flamingo.Load(_folder);
        using var sound = flamingo.Hear(TinyModel.Recording(1));
        double Score(BeamLengthRule? rule) => flamingo.Answer(
            [Ask(flamingo, "What is heard?", sound)], Short with { NumBeams = 3, StopTokens = [], BeamLengthRule = rule })[0].Candidates[0].Score!.Value;

        Assert.Equal(Score(BeamLengthRule.GeneratedWithStop), Score(null));
        Assert.NotEqual(Score(BeamLengthRule.PromptAndGenerated), Score(null));

        using var first = new TinyModel();
        using var flamingo1 = Flamingo.Load(first.Folder);
        using var sound1 = flamingo1.Hear(TinyModel.Recording(1));
        double Score1(BeamLengthRule? rule) => flamingo1.Answer(
            [Ask(flamingo1, "What is heard?", sound1)], Short with { NumBeams = 3, StopTokens = [], BeamLengthRule = rule })[0].Candidates[0].Score!.Value;
        Assert.Equal(Score1(BeamLengthRule.PromptAndGenerated), Score1(null));
    }

    [Fact, NoTensorLeak]
    public void The_mask_of_the_training_code_is_there_to_compare_but_not_to_answer()
    {
        using var folder = new TinyModel(TinyModel.Config2 with { FewShotMask = true, FewShotVectors = 1 });
        using var flamingo = Flamingo.Load(folder.Folder);
        using var sound = flamingo.Hear(TinyModel.Recording(1));
        var e = Assert.Throws<FlamingoException>(() => flamingo.Caption(sound, Short));
        Assert.Equal(FlamingoErrorKind.Usage, e.Kind);
        Assert.Equal(
            "This model is configured with the few-shot mask of Audio Flamingo 2's training code, which cannot decode; set few_shot_mask to false in config.json, as in the release.",
            e.Message);
        Assert.NotEqual("", flamingo.Answer([new Question(flamingo.Config.Prompts.Ask("", "What is a bell?", sounds: 0))], Short)[0].Text);
    }

    [Fact, NoTensorLeak]
    public void More_windows_than_a_table_has_rows_are_refused_when_the_model_is_loaded()
    {
        using var folder = new TinyModel();
        var e = Assert.Throws<FlamingoException>(() => Flamingo.Load(folder.Folder, new() { MaxWindows = 5 }));
        Assert.Equal("The model's configuration does not fit together: 2 sounds of 5 vectors need more positions than 8.", e.Message);
    }

    [Fact]
    public void Nothing_at_a_time_is_refused()
    {
        var e = Assert.Throws<FlamingoException>(() => Flamingo.Load(_folder, new() { WindowsAtOnce = 0 }));
        Assert.Equal("WindowsAtOnce is 0, but at least 1 window must be encoded at a time.", e.Message);
    }

    private static Question Ask(Flamingo flamingo, string question, Sound sound) => new(flamingo.Config.Prompts.Ask(TaskPrompts.Question(question)), sound);

    private sealed class Told(Action<HearingProgress>? then = null) : IProgress<HearingProgress>
    {
        public List<HearingProgress> Seen { get; } = [];

        public void Report(HearingProgress value)
        {
            Seen.Add(value);
            then?.Invoke(value);
        }
    }

    /// <summary>One folder for all tests.</summary>
    public sealed class Folder : IDisposable
    {
        public TinyModel Model { get; } = new(TinyModel.Config2);

        public void Dispose() => Model.Dispose();
    }
}
