using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class TrainingTextsTests : IDisposable
{
    private readonly SoundFolder _folder = new();

    [Fact]
    public void The_same_epoch_gives_the_same_texts_and_another_epoch_others()
    {
        TrainingText[] first = [.. Texts().Draw(epoch: 1, 200)];
        Assert.Equal(first, Texts().Draw(epoch: 1, 200));
        Assert.NotEqual(first, Texts().Draw(epoch: 2, 200));
        Assert.Equal(first[150], Texts().DrawOne(epoch: 1, index: 150));
    }

    [Fact]
    public void Asks_in_the_words_of_the_reference_and_lower_cases_everything()
    {
        var texts = Texts().All().ToList();
        Assert.Contains(new("dog_1", "audio captioning", "caption", "describe the sound in a sentence.\nanswer:", "a dog barks."), texts);
        Assert.Contains(new("rep", "event classification", "labels", "use a few labels to describe this sound.\nanswer:", "dog, animal"), texts);
        Assert.Contains(new("rep", "audio question answering", "count",
            "please answer this question: how many times do you hear a dog barking?\nanswer:", "3"), texts);
        Assert.Contains(new("dog_1", "audio question answering", "presence",
            "please answer this question: can you hear a vehicle?\noptions:\nyes.\nno.\nanswer:", "no"), texts);
        Assert.All(texts, t => Assert.Equal((t.Prompt.ToLowerInvariant(), t.Answer.ToLowerInvariant()), (t.Prompt, t.Answer)));
    }

    [Fact]
    public void Keeps_the_capitals_of_the_template_where_asked_to()
    {
        var text = Texts(new() { LowerCaseAll = false }).All().First(t => t.Type == "sound_class");
        Assert.Matches("^please answer this question: what sound is this\\?\nOPTIONS:\n( - (dog|bell|wind)\\.\n){3}Answer:$", text.Prompt);
    }

    [Fact]
    public void Shuffles_the_choices_anew_and_always_offers_the_answer()
    {
        var asked = Texts(new() { QuestionShare = 1, CaptionShare = 0, LabelShare = 0, PresenceShare = 0, WithOptions = 1 })
            .Draw(0, 400).Where(t => t.Type == "sound_class").ToList();
        Assert.All(asked, t => Assert.Contains($" - {t.Answer}.", t.Prompt, StringComparison.Ordinal));
        Assert.True(asked.Where(t => t.Id == "dog_1").Select(t => t.Prompt).Distinct().Count() > 2);
    }

    [Fact]
    public void What_is_denied_of_a_voice_is_as_often_a_language_as_anything_else()
    {
        foreach (string language in new[] { "Dutch", "French" })
            _folder.AppendLine("catalogue.jsonl", $$"""{"id":"{{language}}_1","package":"pack","path":"bell.wav","duration_s":0.5,"labels":["speech","{{language}}","language:{{language}}"],"caption":"A man speaks {{language}}.","group":"{{language}}","domain":"speech","label_quality":"strong","split":"train"}""");
        var texts = Texts();
        var random = SplitMix.For("denied");
        List<string> denied = [];
        while (denied.Count < 400)
        {
            if (texts.AskPresence("Dutch_1", ref random) is { Answer: "no" } asked)
                denied.Add(asked.Prompt);
        }
        // Of the two clips of speech, only French can be denied of the Dutch one.
        Assert.InRange(denied.Count(p => p.Contains("is someone speaking french?", StringComparison.Ordinal)), 120, 280);
    }

    [Fact]
    public void Presence_questions_are_answered_yes_as_often_as_no_and_correctly()
    {
        var asked = Texts(new() { QuestionShare = 0, CaptionShare = 0, LabelShare = 0, PresenceShare = 1 }).Draw(0, 4000)
            .Where(t => t.Type == "presence").ToList();
        Assert.InRange(asked.Count(t => t.Answer == "yes") / (double)asked.Count, 0.45, 0.55);
        const string Dog = "please answer this question: can you hear a dog barking?\nanswer:";
        Assert.Equal(["dog_1", "rep", "seq"], asked.Where(t => t.Prompt == Dog && t.Answer == "yes").Select(t => t.Id).Distinct().Order());
        Assert.All(asked.Where(t => t.Prompt == Dog && t.Answer == "no"), t => Assert.DoesNotContain(t.Id, new[] { "dog_1", "rep", "seq" }));
        Assert.Contains(asked, t => t.Prompt == Dog && t.Answer == "no");
    }

    [Fact]
    public void Written_presence_questions_are_asked_as_often_as_wanted_with_their_choices_or_without()
    {
        var asked = Texts(new() { QuestionShare = 0, CaptionShare = 0, LabelShare = 0, PresenceShare = 1, WrittenPresence = 0.5, WithOptions = 0.5 }).Draw(0, 8000)
            .Where(t => t.Id == "dog_1").ToList();
        var written = asked.Where(t => t.Prompt.Contains("can you hear a vehicle?", StringComparison.Ordinal)).ToList(); // nothing here is a vehicle: else it is never asked
        Assert.InRange(written.Count / (double)asked.Count, 0.4, 0.6);
        Assert.All(written, t => Assert.Equal(("presence", "no"), (t.Type, t.Answer)));
        Assert.InRange(written.Count(t => t.Choices.Count == 2 && t.Prompt.Contains("options:\nyes.\nno.", StringComparison.Ordinal)) / (double)written.Count, 0.4, 0.6);
        Assert.All(written.Where(t => t.Choices.Count == 0), t => Assert.DoesNotContain("options", t.Prompt, StringComparison.Ordinal));
    }

    [Fact]
    public void After_an_answer_one_asks_whether_that_or_something_else_of_its_type_is_heard()
    {
        _folder.AppendLine("qa.jsonl", """{"id":"q6","ref":"dog_1","type":"presence","question":"Can you hear a dog barking?","answer":"Yes","split":"train"}""");
        var texts = Texts();
        var first = texts.All().Single(t => t.Id == "dog_1" && t.Type == "sound_class");
        var random = SplitMix.For("whether so");
        List<(string Question, string Answer)> asked = [];
        for (int i = 0; i < 40; i++)
        {
            if (texts.AskWhetherSo(first, so: i % 2 == 0, ref random) is { } next)
                asked.Add((next.Prompt, next.Answer));
        }
        // In the words of the written questions where there are some. Wind is no right answer here, so it is not asked about.
        Assert.Equal([("can you hear a bell?\nanswer:", "no"), ("can you hear a dog barking?\nanswer:", "yes")], asked.Distinct().Order());
        Assert.Equal((20, 20), (asked.Count(a => a.Answer == "yes"), asked.Count(a => a.Answer == "no")));
        Assert.Null(texts.AskWhetherSo(texts.All().First(t => t.Type == "count"), so: true, ref random));
    }

    [Fact]
    public void Every_task_gets_its_share()
    {
        var options = new TrainingTextOptions { CaptionShare = 0.5, PresenceShare = 0, QuestionShare = 0, LabelShare = 0.5 };
        int labels = Texts(options).Draw(0, 2000).Count(t => t.Type == "labels");
        Assert.InRange(labels, 900, 1100);
    }

    [Fact]
    public void Leaves_spoken_words_out_unless_asked_for()
    {
        var plain = new TrainingTexts(SoundCatalogue.Load(_folder.Data), "val").All().ToList();
        Assert.Contains(plain, t => t.Answer == "a man speaks dutch.");
        Assert.DoesNotContain(plain, t => t.Type == "transcript");
        var words = new TrainingTexts(SoundCatalogue.Load(_folder.Data), "val", options: new() { SpokenWords = true }).All().ToList();
        Assert.Contains(words, t => t.Answer == "a man says \"hallo\" in dutch.");
        Assert.Contains(words, t => t.Type == "transcript" && t.Answer == "hallo");
    }

    [Fact]
    public void Leaves_out_sounds_that_are_not_usable()
    {
        var texts = new TrainingTexts(SoundCatalogue.Load(_folder.Data), "train", s => s.Id != "rep");
        Assert.DoesNotContain(texts.All(), t => t.Id == "rep");
        Assert.DoesNotContain(texts.Draw(0, 500), t => t.Id == "rep");
    }

    [Fact]
    public void Says_which_splits_there_are()
    {
        var error = Assert.Throws<FlamingoException>(() => new TrainingTexts(SoundCatalogue.Load(_folder.Data), "training"));
        Assert.Equal("The split 'training' has no sounds: expected train, val or test, and prepared sounds.", error.Message);
    }

    public void Dispose() => _folder.Dispose();

    private TrainingTexts Texts(TrainingTextOptions? options = null) => new(SoundCatalogue.Load(_folder.Data), "train", null, options);
}
