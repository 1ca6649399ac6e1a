using System.Text.RegularExpressions;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.Mini;

public sealed class MiniSamplerTests : IDisposable
{
    private readonly SoundFolder _folder = new();
    private readonly Tokenizer _tokenizer = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));

    public MiniSamplerTests()
    {
        foreach (string concept in new[] { "dog", "bell" })
        {
            for (int i = 2; i < 6; i++)
            {
                _folder.AppendLine("catalogue.jsonl", $$"""{"id":"{{concept}}_{{i}}","package":"pack","path":"{{concept}}.wav","duration_s":0.3,"labels":["{{concept}}"],"caption":"A {{concept}}.","group":"g{{i}}","domain":"sound","label_quality":"strong","concept":"{{concept}}","split":"train"}""");
                _folder.AppendLine("qa.jsonl", $$"""{"id":"{{concept}}q{{i}}","ref":"{{concept}}_{{i}}","type":"sound_class","question":"What sound is this?","answer":"{{concept}}","choices":["dog","bell"],"split":"train"}""");
            }
        }
    }

    [Fact]
    public void Under_other_names_the_examples_alone_tell_what_to_answer()
    {
        var drawn = Draw(otherNames: 1);
        int renamed = 0;
        Assert.All(drawn, sample =>
        {
            // Whatever they are called, sounds of one kind have one name, others another, and the name asked for was given before.
            var kinds = sample.Sounds.Select(s => (Kind: s.About.Id.Split('_')[0], Name: s.About.Answer)).ToList();
            Assert.Equal(kinds.Select(k => k.Kind).Distinct().Count(), kinds.Distinct().Count());
            Assert.Equal(kinds.Select(k => k.Name).Distinct().Count(), kinds.Distinct().Count());
            Assert.Contains(kinds[^1], kinds[..^1]);
            renamed += kinds.Any(k => k.Kind != k.Name) ? 1 : 0;
        });
        Assert.InRange(renamed, drawn.Count / 4, drawn.Count * 3 / 4); // of two names, either stays with its kind half the time
    }

    [Fact]
    public void Up_to_eight_different_examples_come_before_the_question_under_their_own_names()
    {
        var drawn = Draw(otherNames: 0);
        Assert.All(drawn, sample => Assert.All(sample.Sounds, s => Assert.Equal(s.About.Id.Split('_')[0], s.About.Answer)));
        Assert.All(drawn, sample => Assert.Equal(sample.Sounds.Count, sample.Sounds.Select(s => s.About.Id).Distinct().Count()));
        Assert.Equal([2, 3, 4, 5, 6, 7, 8, 9], drawn.Select(s => s.Sounds.Count).Distinct().Order());
    }

    [Fact]
    public void Where_choices_or_earlier_turns_can_help_some_sounds_are_drowned()
    {
        static bool CanHelp(MiniSample sample) => sample.Sounds[0].About is { Type: "sound_class", Choices.Count: > 0 };
        var single = Draw(Sampler(new MiniMixture { Compositions = 0, Textures = 0, Dialogues = 0, Shots = 0, Drowned = 0.5 }));
        Assert.InRange(single.Count(s => s.Sounds[0].Drowned) / (double)single.Count(CanHelp), 0.3, 0.7);
        Assert.All(single.Where(s => s.Sounds[0].Drowned), s => Assert.True(CanHelp(s)));

        var dialogues = Draw(Sampler(new MiniMixture { Compositions = 0, Textures = 0, Dialogues = 1, Shots = 0, DrownedDialogues = 0.5 }));
        Assert.InRange(dialogues.Count(d => d.Sounds.Single().Drowned) / (double)dialogues.Count, 0.4, 0.6);
    }

    [Fact]
    public void A_dialogue_often_comes_back_to_what_was_said_first()
    {
        var dialogues = Draw(Sampler(new MiniMixture { Compositions = 0, Textures = 0, Dialogues = 1, Shots = 0 })).Select(d => _tokenizer.Decode([.. d.Text.Whole])).ToList();
        var named = dialogues.Where(d => Regex.IsMatch(d, @"user: what sound is this\? \s*assistant: (<SEP>)?(dog|bell)", RegexOptions.IgnoreCase)).ToList();
        Assert.True(named.Count > dialogues.Count / 2, $"{named.Count} of {dialogues.Count}; {dialogues[0]}");
        var asked = named.Select(d => (Said: Regex.Match(d, @"assistant: (?:<SEP>)?(dog|bell)").Groups[1].Value,
            Then: Regex.Matches(d, @"can you hear a (dog|bell)\? \s*assistant: (?:<SEP>)?(yes|no)", RegexOptions.IgnoreCase).Select(m => (What: m.Groups[1].Value, Answer: m.Groups[2].Value)).ToList())).ToList();
        Assert.InRange(asked.Count(d => d.Then.Count == 2) / (double)named.Count, 0.5, 0.8); // one that affirms, one that denies
        Assert.All(asked.SelectMany(d => d.Then.Select(t => (d.Said, t.What, t.Answer))), t => Assert.Equal(t.Said == t.What ? "yes" : "no", t.Answer));
        Assert.InRange(asked.Count(d => d.Then.Count == 2 && d.Then[0].Answer == "yes") / (double)asked.Count(d => d.Then.Count == 2), 0.3, 0.7); // in either order
    }

    [Fact]
    public void Long_sounds_are_no_examples()
    {
        Assert.All(Draw(otherNames: 0, longer: "bell_3"), sample => Assert.DoesNotContain(sample.Sounds, s => s.About.Id == "bell_3"));
    }

    [Fact]
    public void The_batch_of_a_number_is_always_the_same()
    {
        var one = Sampler(0.5).Batch(17).Select(s => string.Join(',', s.Text.Whole));
        Assert.Equal(one, Sampler(0.5).Batch(17).Select(s => string.Join(',', s.Text.Whole)));
        Assert.NotEqual(one, Sampler(0.5).Batch(18).Select(s => string.Join(',', s.Text.Whole)));
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    private List<MiniSample> Draw(double otherNames, string? longer = null)
    {
        return Draw(Sampler(otherNames, longer));
    }

    private static List<MiniSample> Draw(MiniSampler sampler) => [.. Enumerable.Range(0, 24).SelectMany(i => sampler.Batch(i))];

    private MiniSampler Sampler(double otherNames, string? longer = null) =>
        Sampler(new MiniMixture { Compositions = 0, Textures = 0, Dialogues = 0, Shots = 1, OtherNames = otherNames }, longer);

    private MiniSampler Sampler(MiniMixture mixture, string? longer = null)
    {
        var catalogue = SoundCatalogue.Load(_folder.Data);
        var texts = new TrainingTexts(catalogue, "train", options: new() { AnswerSuffix = "" });
        return new(
            texts, new NewCompositions(catalogue, texts.Sounds, 10, 0.02), new SoundTextures(texts.Sounds, 0.02), new TextBatcher(_tokenizer, FlamingoConfig.Mini.Prompts, 512),
            id => id == longer ? 2 : 1, mixture, batchSize: 16, seed: 3);
    }
}
