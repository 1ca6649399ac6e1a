using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests;

/// <summary>One of given answers, by likelihood, on tiny models of both systems.</summary>
public sealed class ChoiceTests : IDisposable
{
    // Of one word and of many; one begins with another; what looks like a special token is text.
    private static readonly string[] s_answers = ["rain", "Rain and thunder", "a dog that barks in the distance, behind a wall", "no", "<audio> ü"];

    private readonly List<TinyModel> _folders = [];
    private readonly List<Sound> _sounds = [];

    [Theory, MemberData(nameof(Configurations))]
    public void The_scores_are_those_of_a_plain_run_over_prompt_and_answer(FlamingoConfig config)
    {
        using var flamingo = Load(config);
        using var model = Model(config, flamingo, _folders[0].Folder);
        using var encoder = new SoundEncoder(model, config.Windows, 4, CPU);
        foreach (var batch in new[] { Questions(flamingo)[..1], Questions(flamingo) }) // nothing is padded; prompts and answers are
        {
            var choices = flamingo.Choose(batch, cancellation: TestContext.Current.CancellationToken);
            for (int q = 0; q < batch.Length; q++)
            {
                var found = choices[q].Answers.OrderBy(a => a.Index).ToList();
                Assert.Equal(batch[q].Answers, found.Select(a => a.Text));
                for (int a = 0; a < found.Count; a++)
                {
                    double expected = PlainRun(flamingo, model, encoder, batch[q], a, out int tokens);
                    Assert.Equal(expected, found[a].LogProbability, 1e-4);
                    Assert.Equal(tokens, found[a].Tokens);
                }
                var scores = found.Select(a => Math.Exp(a.LogProbability)).ToList();
                Assert.All(found, a => Assert.Equal(scores[a.Index] / scores.Sum(), a.Probability, 1e-6));
            }
        }
    }

    [Theory, MemberData(nameof(Configurations))]
    public void A_batch_gives_the_choices_that_each_question_alone_gets(FlamingoConfig config)
    {
        using var flamingo = Load(config);
        var questions = Questions(flamingo);
        var together = flamingo.Choose(questions, cancellation: TestContext.Current.CancellationToken);
        for (int i = 0; i < questions.Length; i++)
        {
            var alone = flamingo.Choose([questions[i]], cancellation: TestContext.Current.CancellationToken)[0];
            Assert.Equal(alone.Answers.Select(a => a.Text), together[i].Answers.Select(a => a.Text));
            TensorAssert.Close([.. alone.Answers.Select(a => a.LogProbability)], [.. together[i].Answers.Select(a => a.LogProbability)], 1e-4);
            Assert.Equal((alone.PromptTokens, alone.SecondsHeard, alone.SecondsDropped), (together[i].PromptTokens, together[i].SecondsHeard, together[i].SecondsDropped));
        }
        Assert.True(together.Select(c => Math.Round(c.Best.LogProbability, 2)).Distinct().Count() >= 4, "The sounds and questions should matter.");
    }

    [Fact]
    public void A_generated_answer_is_as_likely_as_its_generation_says()
    {
        using var flamingo = Load(TinyModel.Config);
        var question = Questions(flamingo)[0].Question;
        // The tiny model rambles; what it says within 5 tokens has the score of those tokens, and here the end is added.
        var said = flamingo.Answer([question], new() { MaxNewTokens = 5, LogProbabilities = true })[0].Candidates[0];
        var chosen = flamingo.Choose(question, [said.Text, "rain"]).Answers.First(a => a.Index == 0);
        Assert.True(chosen.LogProbability < said.Score, $"{chosen.LogProbability} includes the end, {said.Score} does not.");
    }

    [Fact]
    public void The_mean_per_token_favours_long_answers()
    {
        using var flamingo = Load(TinyModel.Config);
        var question = new ChoiceQuestion(Questions(flamingo)[0].Question, s_answers);
        var sum = flamingo.Choose([question])[0];
        var mean = flamingo.Choose([question], new ChoiceOptions { Score = ChoiceScore.MeanPerToken })[0];
        Assert.Equal(sum.Answers.OrderByDescending(a => a.LogProbability).Select(a => a.Text), sum.Answers.Select(a => a.Text));
        Assert.Equal(mean.Answers.OrderByDescending(a => a.LogProbability / a.Tokens).Select(a => a.Text), mean.Answers.Select(a => a.Text));
        Assert.True(mean.Answers.First(a => a.Index == 2).Probability > sum.Answers.First(a => a.Index == 2).Probability);
        Assert.Equal(1, mean.Answers.Sum(a => a.Probability), 1e-9);
        double[] shares = [.. mean.Answers.Select(a => Math.Exp(a.LogProbability / a.Tokens))];
        Assert.Equal(shares[0] / shares.Sum(), mean.Best.Probability, 1e-9);
    }

    [Fact]
    public void A_task_brings_its_answers_listed_or_not()
    {
        using var flamingo = Load(TinyModel.Config);
        var sound = Hear(flamingo, 1);
        Assert.Equal(["bus", "dog"], flamingo.Choose(TaskPrompts.Classify(["dog", "bus"]), sound).Answers.OrderBy(a => a.Index).Select(a => a.Text));
        Assert.Equal(["yes", "no"], flamingo.Choose(TaskPrompts.YesOrNo("Is it a dog?"), sound).Answers.OrderBy(a => a.Index).Select(a => a.Text));
        var listed = flamingo.Choose(TaskPrompts.Choose("Which?", ["Dog", "Bus"]), sound);
        var unlisted = flamingo.Choose(TaskPrompts.Choose("Which?", ["Dog", "Bus"], listed: false), sound);
        Assert.Equal(["Dog", "Bus"], listed.Answers.OrderBy(a => a.Index).Select(a => a.Text));
        Assert.True(unlisted.PromptTokens < listed.PromptTokens);
        var free = flamingo.Choose(new Question(flamingo.Config.Prompts.Ask(TaskPrompts.Question("Which?")), sound), ["Dog", "Bus"]);
        Assert.Equal(free.Answers, unlisted.Answers);

        var e = Assert.Throws<FlamingoException>(() => flamingo.Choose(TaskPrompts.Caption, sound));
        Assert.Equal((FlamingoErrorKind.Usage,
            "The task \"Describe the sound in a sentence.\" has no answers to choose from; make it with TaskPrompts.Choose, Classify or YesOrNo."), (e.Kind, e.Message));
    }

    [Fact]
    public void Answers_are_written_as_the_prompt_lists_them()
    {
        var task = TaskPrompts.Choose("Where?", ["Church", "School"]);
        Assert.Equal(["(A) Church", "(B) School"], ChoiceQuestion.Of(task, PromptFormat.Af2).Written);
        Assert.Equal(["Church", "School"], ChoiceQuestion.Of(task, PromptFormat.Af1Inference).Written);
        Assert.Equal(["Church", "School"], ChoiceQuestion.Of(TaskPrompts.Choose("Where?", ["Church", "School"], listed: false), PromptFormat.Af2).Written);
        using var flamingo = Load(TinyModel.Config2);
        var tokenizer = flamingo.Tokenizer;
        Assert.Equal("(a) church<|endofchunk|>", tokenizer.Decode(PromptFormat.Af2.EncodeAnswer("(A) Church", tokenizer)));
        Assert.Equal("Church<|endofchunk|>", tokenizer.Decode(PromptFormat.Af1Training.EncodeAnswer(" Church ", tokenizer)));
    }

    [Fact]
    public void Lists_that_leave_no_choice_are_refused()
    {
        using var flamingo = Load(TinyModel.Config);
        var question = Questions(flamingo)[0].Question;
        void Refused(string message, params string[] answers)
        {
            var e = Assert.Throws<FlamingoException>(() => flamingo.Choose(question, answers));
            Assert.Equal((FlamingoErrorKind.Usage, message), (e.Kind, e.Message));
        }
        Refused("The list of answers is empty; give at least one.");
        Refused("The answer 'RAIN' occurs twice; give each answer once.", "rain", "RAIN ");
        Refused("Answer 2 of 2 is empty; remove it or name it.", "rain", " ");
        string endless = string.Concat(Enumerable.Repeat("word ", 300));
        var e = Assert.Throws<FlamingoException>(() => flamingo.Choose(question, [endless]));
        Assert.Matches(@"\AThe prompt has \d+ tokens and the longest answer \d+, but this model reads at most 256 together\. Shorten the question or the answers, or give fewer\.\z", e.Message);
        var one = flamingo.Choose(question, ["rain"]);
        Assert.Equal((1, "rain"), (one.Best.Probability, one.Text));
        Assert.Empty(flamingo.Choose([]));
    }

    [Fact, NoTensorLeak]
    public void Everything_is_freed()
    {
        using var flamingo = Load(TinyModel.Config2);
        flamingo.Choose(Questions(flamingo));
        Dispose();
    }

    public static TheoryData<FlamingoConfig> Configurations => [TinyModel.Config, TinyModel.Config2];

    /// <inheritdoc/>
    public void Dispose()
    {
        _sounds.ForEach(s => s.Dispose());
        _folders.ForEach(f => f.Dispose());
        _sounds.Clear();
        _folders.Clear();
    }

    private Flamingo Load(FlamingoConfig config)
    {
        _folders.Add(new TinyModel(config));
        return Flamingo.Load(_folders[^1].Folder);
    }

    // Sounds and prompts of several lengths, with other answers each; one without sound, and one with two where the model has places for them.
    private ChoiceQuestion[] Questions(Flamingo flamingo)
    {
        var (format, first, second) = (flamingo.Config.Prompts, Hear(flamingo, 1), Hear(flamingo, 2, seconds: 0.4));
        var questions = new List<ChoiceQuestion>
        {
            new(new(format.Ask(TaskPrompts.Question("What is heard?")), first), s_answers),
            ChoiceQuestion.Of(TaskPrompts.Choose("Is there a dog, or is it rather something that only a long and winding question can name?", s_answers), format, second),
            new(new(format.Ask(TaskPrompts.Question("What is heard?")), second), s_answers[..2]),
            ChoiceQuestion.Of(TaskPrompts.YesOrNo("Is it loud?"), format, first),
            new(new(format.Ask("", "Nothing is heard.", sounds: 0)), s_answers),
        };
        if (flamingo.Config.Windows.Slots > 1)
            questions.Add(new(new(format.Ask("", "Which is louder?", sounds: 2), first, second), ["the first", "the second one"]));
        return [.. questions];
    }

    private Sound Hear(Flamingo flamingo, int seed, double seconds = 1.7)
    {
        _sounds.Add(flamingo.Hear(TinyModel.Recording(seed, seconds)));
        return _sounds[^1];
    }

    private static FlamingoModel Model(FlamingoConfig config, Flamingo flamingo, string folder)
    {
        var model = config.Build(flamingo.Tokenizer.Special.Audio.Id);
        using var weights = ModelFolder.Open(folder).OpenWeights();
        ModuleWeights.Fill(model, weights);
        model.eval();
        return model;
    }

    // No cache, no padding, no batch: prompt and answer as one text.
    private static double PlainRun(Flamingo flamingo, FlamingoModel model, SoundEncoder encoder, ChoiceQuestion question, int answer, out int tokens)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var prompt = question.Question.Prompt.Encode(flamingo.Tokenizer);
        int[] said = [.. flamingo.Tokenizer.Encode(TextForms.Lower(question.Written[answer])), flamingo.Tokenizer.Special.EndOfChunk.Id];
        long[] ids = [.. prompt.Concat(said).Select(i => (long)i)];
        var logits = model.Forward(tensor(ids, [1, ids.Length]), null, encoder.Hear([question.Question])); // [1, t, v]
        int vocabulary = (int)logits.shape[2];
        double[] logs = nn.functional.log_softmax(logits.to(ScalarType.Float64), 2).data<double>().ToArray();
        tokens = said.Length;
        return said.Select((id, i) => logs[((prompt.Count + i - 1) * vocabulary) + id]).Sum();
    }
}
