using FlamingoSharp.Audio;
using FlamingoSharp.Generation;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;

namespace FlamingoSharp.Tests;

/// <summary>The public face, on a tiny model that says nothing sensible, but always the same.</summary>
public sealed class FlamingoTests : IClassFixture<FlamingoTests.Loaded>
{
    private static readonly GenerationOptions Short = new() { MaxNewTokens = 12 };
    private readonly Flamingo _flamingo;

    public FlamingoTests(Loaded loaded) => _flamingo = loaded.Flamingo;

    [Fact]
    public void A_batch_gives_the_answers_that_each_question_alone_gets()
    {
        using Sound first = Hear(1), second = Hear(2, seconds: 0.4);
        Question[] questions =
        [
            Ask("What is heard?", first),
            Ask("Is there a dog, or is it rather a very long and winding question about something else altogether?", second),
            Ask("What is heard?", second),
            new(_flamingo.Config.Prompts.Ask("", "Nothing is heard.", sounds: 0)),
            new(_flamingo.Config.Prompts.Ask("", "Which is louder?", sounds: 2), first, second),
        ];
        var together = _flamingo.Answer(questions, Short);
        var alone = questions.Select(q => _flamingo.Answer([q], Short)[0]).ToList();
        Assert.Equal(alone.Select(a => a.Text), together.Select(a => a.Text));
        Assert.Equal(alone.Select(a => a.PromptTokens), together.Select(a => a.PromptTokens));
        Assert.True(together.Select(a => a.Text).Distinct().Count() >= 4, "The sounds and questions should matter.");
        Assert.Equal([first.SecondsHeard, second.SecondsHeard, second.SecondsHeard, 0, first.SecondsHeard + second.SecondsHeard], together.Select(a => a.SecondsHeard));
    }

    [Fact]
    public void A_batch_searches_beams_and_draws_as_each_question_alone()
    {
        using Sound first = Hear(1), second = Hear(2);
        Question[] questions = [Ask("What is heard?", first), Ask("And what is heard in this one here?", second)];
        foreach (var options in new[] { Short with { NumBeams = 3, NumReturnSequences = 2 }, Short with { Sample = true, Seed = 5, TopP = 0.9 } })
        {
            var together = _flamingo.Answer(questions, options);
            var alone = questions.Select(q => _flamingo.Answer([q], options)[0]).ToList();
            Assert.Equal(alone.SelectMany(a => a.Candidates).Select(c => c.Text), together.SelectMany(a => a.Candidates).Select(c => c.Text));
        }
    }

    [Fact]
    public async Task Streaming_spells_the_same_text_and_begins_before_the_end()
    {
        using var sound = Hear(3);
        var question = Ask("What is heard?", sound);
        string expected = _flamingo.Answer([question], Short)[0].Text;
        Assert.NotEqual("", expected);

        var deltas = new List<TextDelta>();
        await foreach (var delta in _flamingo.StreamAsync(question, Short, TestContext.Current.CancellationToken))
            deltas.Add(delta);
        Assert.Equal(expected, string.Concat(deltas.Select(d => d.Text)).Trim());
        Assert.True(deltas.Count > 2);
        Assert.Null(deltas[0].Finish);
        Assert.Equal(FinishReason.Length, deltas[^1].Finish);
    }

    [Fact]
    public async Task A_stop_text_ends_the_answer_whether_it_streams_or_not()
    {
        using var sound = Hear(3);
        var question = Ask("What is heard?", sound);
        string whole = _flamingo.Answer([question], Short)[0].Text;
        string stop = whole.Substring(whole.Length / 2, 2);
        var options = Short with { StopStrings = [stop] };
        string expected = whole[..whole.IndexOf(stop, StringComparison.Ordinal)].Trim();

        var answer = _flamingo.Answer([question], options)[0];
        Assert.Equal(expected, answer.Text);
        Assert.Equal(FinishReason.Stop, answer.Candidates[0].Finish);
        string streamed = "";
        await foreach (var delta in _flamingo.StreamAsync(question, options, TestContext.Current.CancellationToken))
            streamed += delta.Text;
        Assert.Equal(expected, streamed.Trim());
    }

    [Fact]
    public async Task Cancellation_and_leaving_early_stop_the_model_and_free_it_for_others()
    {
        using var sound = Hear(4);
        var question = Ask("What is heard?", sound);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.ThrowsAny<OperationCanceledException>(() => _flamingo.Answer([question], Short, cancelled.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => _flamingo.Hear(TinyModel.Recording(1), cancellation: cancelled.Token));

        using var later = new CancellationTokenSource();
        int seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in _flamingo.StreamAsync(question, Short with { MaxNewTokens = 200 }, later.Token))
            {
                seen++;
                await later.CancelAsync();
            }
        });
        Assert.InRange(seen, 1, 100);
        await foreach (var _ in _flamingo.StreamAsync(question, Short with { MaxNewTokens = 200 }, TestContext.Current.CancellationToken))
            break;
        Assert.NotEqual("", _flamingo.Answer([question], Short, TestContext.Current.CancellationToken)[0].Text);
    }

    [Fact]
    public void The_same_file_twice_gives_the_same_bits_and_words()
    {
        string path = Path.Combine(ReferenceSet.RepositoryRoot, "samples", "bell.wav");
        using Sound once = _flamingo.Hear(path), again = _flamingo.Hear(path);
        TensorAssert.Close(once.Encodings, again.Encodings, 0);
        Assert.Equal(_flamingo.Caption(once, Short).Text, _flamingo.Caption(again, Short).Text);
        Assert.Equal((once.SecondsHeard, once.SecondsDropped), (again.SecondsHeard, again.SecondsDropped));
    }

    [Fact]
    public void Callers_on_four_threads_each_get_their_own_answer()
    {
        Sound[] sounds = [.. Enumerable.Range(1, 4).Select(i => Hear(i))];
        string[] expected = [.. sounds.Select(s => _flamingo.Caption(s, Short).Text)];
        string[][] found = [.. sounds.Select(_ => new string[3])];
        var threads = sounds.Select((sound, i) => new Thread(() =>
        {
            for (int round = 0; round < found[i].Length; round++)
            {
                using var own = Hear(i + 1);
                found[i][round] = _flamingo.Caption(round % 2 == 0 ? sound : own, Short).Text;
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        for (int i = 0; i < sounds.Length; i++)
        {
            Assert.All(found[i], text => Assert.Equal(expected[i], text));
            sounds[i].Dispose();
        }
    }

    [Fact]
    public void A_question_without_sound_is_answered()
    {
        var answer = _flamingo.Answer([new Question(_flamingo.Config.Prompts.Ask("", "What is a bell?", sounds: 0))], Short)[0];
        Assert.NotEqual("", answer.Text);
        Assert.Equal((0, 0), (answer.SecondsHeard, answer.SecondsDropped));
    }

    [Fact]
    public void More_sounds_than_the_model_has_places_for_are_refused()
    {
        using var sound = Hear(1);
        var question = new Question(_flamingo.Config.Prompts.Ask("", "Compare them.", sounds: 3), sound, sound, sound);
        var e = Assert.Throws<FlamingoException>(() => _flamingo.Answer([question], Short));
        Assert.Equal(FlamingoErrorKind.Usage, e.Kind);
        Assert.Equal("The prompt holds 12 audio windows but this model has positions for 8. Use fewer sounds or shots.", e.Message);
    }

    [Fact]
    public void A_recording_of_another_rate_is_refused()
    {
        var recording = Recording.FromSamples(new float[8000], 8000, 8000, "low.wav");
        var e = Assert.Throws<FlamingoException>(() => _flamingo.Hear(recording));
        Assert.Equal("'low.wav' is sampled at 8000 Hz but this encoder needs 16000 Hz; load it with that rate.", e.Message);
    }

    [Fact]
    public void What_is_not_heard_is_said_once()
    {
        using var sound = Hear(1, seconds: 4);
        Assert.Equal((2.5, 1.5), (sound.SecondsHeard, sound.SecondsDropped));
        using var file = _flamingo.Hear(Path.Combine(ReferenceSet.RepositoryRoot, "samples", "rain.wav"));
        var whole = SoundFile.Load(Path.Combine(ReferenceSet.RepositoryRoot, "samples", "rain.wav"));
        Assert.Equal(whole.FileSeconds, file.SecondsHeard + file.SecondsDropped, 2);
    }

    [Fact, NoTensorLeak]
    public void Everything_is_freed_and_then_refused()
    {
        using var folder = new TinyModel();
        var flamingo = Flamingo.Load(folder.Folder);
        var sound = flamingo.Hear(TinyModel.Recording(1));
        flamingo.Caption(sound, Short);
        sound.Dispose();
        flamingo.Dispose();
        flamingo.Dispose();
        Assert.Throws<ObjectDisposedException>(() => flamingo.Hear(TinyModel.Recording(1)));
    }

    private Sound Hear(int seed, double seconds = 1.7) => _flamingo.Hear(TinyModel.Recording(seed, seconds));

    private Question Ask(string question, Sound sound) => new(_flamingo.Config.Prompts.Ask(TaskPrompts.Question(question)), sound);

    /// <summary>One model for all tests.</summary>
    public sealed class Loaded : IDisposable
    {
        private readonly TinyModel _folder = new();

        public Loaded() => Flamingo = Flamingo.Load(_folder.Folder);

        public Flamingo Flamingo { get; }

        public void Dispose()
        {
            Flamingo.Dispose();
            _folder.Dispose();
        }
    }
}
