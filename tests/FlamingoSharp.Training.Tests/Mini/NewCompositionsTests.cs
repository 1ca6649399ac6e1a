using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.Mini;

public sealed class NewCompositionsTests : IDisposable
{
    private const double Seconds = 10.2, Frame = 0.02;
    private readonly SoundFolder _folder = new();

    [Fact]
    public void What_is_asked_is_true_of_what_is_put_together()
    {
        var made = Draw(300);
        var counted = made.Where(c => c.Sound.Composition == CompositionKind.Repeat).ToList();
        var rows = made.Where(c => c.Sound.Composition == CompositionKind.Sequence).ToList();
        var mixes = made.Where(c => c.Sound.Composition == CompositionKind.Mix).ToList();
        Assert.All([counted.Count, rows.Count, mixes.Count], n => Assert.True(n > 20, $"{n}"));

        Assert.All(counted, c =>
        {
            Assert.Equal($"{c.Parts.Count}", Assert.Single(c.Questions).Answer);
            Assert.Single(c.Parts.Select(p => p.Id).Distinct());
        });
        Assert.Equal(["1", "2", "3", "4", "5", "6"], counted.Select(c => c.Questions[0].Answer).Distinct().Order());
        Assert.All(rows, c =>
        {
            string[] inOrder = [.. c.Parts.OrderBy(p => p.StartFrame).Select(p => s_phrases[p.Id])];
            Assert.Equal(c.Sound.Heard.Select(h => h.Phrase), inOrder);
            foreach (var question in c.Questions)
            {
                string right = question.Text switch
                {
                    "How many different sounds are heard?" => $"{inOrder.Length}",
                    "Which sound comes first?" => inOrder[0],
                    "Which sound comes last?" => inOrder[^1],
                    _ => inOrder[Array.IndexOf(inOrder, question.Text["What comes right after ".Length..].TrimEnd('?')) + 1],
                };
                Assert.Equal(right, question.Answer);
                Assert.True(question.Choices.Count == 0 || question.Choices.Contains(right), question.Text);
            }
        });
        Assert.All(mixes, c =>
        {
            Assert.Equal("wind", c.Questions.Single(q => q.Type == "background").Answer);
            Assert.Equal($"{s_phrases[c.Parts[1].Id]}", c.Questions.Single(q => q.Type == "foreground").Answer);
        });
    }

    [Fact]
    public void The_same_number_gives_the_same_composition_and_all_of_them_fit()
    {
        var made = Draw(200);
        Assert.Equal(made.Select(c => c.Sound.Caption), Draw(200).Select(c => c.Sound.Caption));
        Assert.All(made, c => Assert.All(c.Parts, p => Assert.InRange(p.StartFrame, 0, (int)(Seconds / Frame))));
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    private static readonly Dictionary<string, string> s_phrases = new()
    {
        ["dog_1"] = "a dog barking",
        ["bell_1"] = "a bell",
        ["cat_1"] = "a cat meowing",
        ["horn_1"] = "a horn",
    };

    private List<NewComposition> Draw(int count)
    {
        if (!File.ReadAllText(Path.Combine(_folder.Data, "catalogue.jsonl")).Contains("cat_1", StringComparison.Ordinal))
        {
            foreach (string name in new[] { "cat", "horn" })
            {
                _folder.AppendLine("catalogue.jsonl",
                    $$"""{"id":"{{name}}_1","package":"pack","path":"{{name}}.wav","duration_s":0.4,"labels":["{{name}}"],"caption":"It is a {{name}}.","group":"{{name}}","domain":"sound","label_quality":"strong","concept":"{{name}}","split":"train"}""");
                _folder.AppendLine("synthesis.jsonl",
                    $$"""{"id":"rep_{{name}}","kind":"compose","op":"repeat","parts":[{"ref":"{{name}}_1","start_s":0}],"count":1,"count_of":"{{s_phrases[name + "_1"]}}","concepts":["{{name}}"],"duration_s":0.4,"labels":["{{name}}"],"caption":"It is a {{name}}.","group":"r{{name}}","domain":"sound","split":"train"}""");
            }
        }
        var catalogue = SoundCatalogue.Load(_folder.Data);
        var compositions = new NewCompositions(catalogue, [.. catalogue.Sounds.Where(s => s.Split == "train")], Seconds, Frame);
        List<NewComposition> made = [];
        for (int i = 0; i < count; i++)
        {
            var random = SplitMix.For("test", (ulong)i);
            made.Add(compositions.Draw($"new:{i}", ref random)!);
        }
        return made;
    }
}
