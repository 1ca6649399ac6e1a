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
            Assert.Equal($"{c.Parts.Count}", c.Questions.Single(q => q.Type == "count").Answer);
            Assert.Single(c.Parts.Select(p => p.Id).Distinct());
        });
        Assert.Equal(["1", "2", "3", "4", "5", "6"], counted.Where(c => c.Parts[0].FirstFrames == 0).Select(c => c.Questions[0].Answer).Distinct().Order());
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
    public void Beeps_and_clicks_come_as_many_and_as_fast_as_is_said()
    {
        var made = Draw(1500);
        var beeps = made.Where(c => c.Parts[0].Id == "beep_1").ToList();
        var clicks = made.Where(c => c.Parts[0].Id == "click_1").ToList();
        Assert.Equal(["1", "2", "3", "4", "5", "6", "7", "8"], beeps.Select(c => c.Questions.Single().Answer).Distinct().Order());
        Assert.All(beeps, c => Assert.Contains(c.Sound.Caption, s_beeps));
        Assert.All(beeps, c => Assert.Equal(Array.IndexOf(s_beeps, c.Sound.Caption) + 1, c.Parts.Count));
        Assert.All(clicks, c => Assert.InRange(c.Parts.Count, 5, 10));
        Assert.Equal(["fast", "medium", "slow"], clicks.Select(c => c.Questions.Single(q => q.Type == "tempo").Answer).Distinct().Order());
        foreach (var row in clicks)
        {
            double apart = (row.Parts[^1].StartFrame - row.Parts[0].StartFrame) * Frame / (row.Parts.Count - 1);
            string tempo = apart > 0.9 ? "slow" : apart is > 0.47 and < 0.72 ? "medium" : apart < 0.38 ? "fast" : "between";
            Assert.Equal($"Metronome clicks at a {tempo} tempo.", row.Sound.Caption);
            Assert.Equal(["click", tempo], row.Sound.Labels);
            Assert.All(row.Parts, p => Assert.Equal(10, p.FirstFrames)); // one click of many
        }
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

    private static readonly string[] s_beeps = ["One beep.", "Two beeps.", "Three beeps.", "Four beeps.", "Five beeps.", "Six beeps.", "Seven beeps.", "Eight beeps."];

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
            _folder.AppendLine("synthesis.jsonl", """{"id":"beep_1","kind":"sox","synth":{"wave":"sine","freq_hz":1400,"pattern":[0.2]},"count":1,"duration_s":0.2,"labels":["beep","count:1"],"caption":"One beep.","group":"b1","domain":"sound","split":"train"}""");
            _folder.AppendLine("synthesis.jsonl", """{"id":"click_1","kind":"sox","synth":{"wave":"click","tempo_bpm":180,"clicks":7},"count":7,"duration_s":2.3,"labels":["click","fast"],"caption":"Metronome clicks at a fast tempo.","group":"c1","domain":"sound","split":"train"}""");
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
