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
        var sampler = Sampler(otherNames, longer);
        return [.. Enumerable.Range(0, 24).SelectMany(i => sampler.Batch(i))];
    }

    private MiniSampler Sampler(double otherNames, string? longer = null)
    {
        var catalogue = SoundCatalogue.Load(_folder.Data);
        var texts = new TrainingTexts(catalogue, "train", options: new() { AnswerSuffix = "" });
        return new(
            texts, new NewCompositions(catalogue, texts.Sounds, 10, 0.02), new TextBatcher(_tokenizer, FlamingoConfig.Mini.Prompts, 512),
            id => id == longer ? 2 : 1, new MiniMixture { Compositions = 0, Dialogues = 0, Shots = 1, OtherNames = otherNames }, batchSize: 16, seed: 3);
    }
}
