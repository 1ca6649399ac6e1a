using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.Mini;

public sealed class SoundTexturesTests : IDisposable
{
    private const double Frame = 0.02;
    private readonly SoundFolder _folder = new();

    [Fact]
    public void A_roll_is_many_strokes_of_one_drum_and_applause_many_claps_of_several_hands()
    {
        Add("snare", 3);
        Add("snare_roll", 2);
        Add("clap_drum", 3);
        Add("applause", 1);
        Add("key_press", 2); // there is no recording of typing, so none is made
        var made = Draw(200);
        Assert.Equal(["applause_0", "snare_roll_0", "snare_roll_1"], made.Select(t => t.StandsFor).Distinct().Order());
        foreach (var roll in made.Where(t => t.StandsFor.StartsWith("snare_roll", StringComparison.Ordinal)))
        {
            Assert.StartsWith("snare_", Assert.Single(roll.Parts.Select(p => p.Id).Distinct()), StringComparison.Ordinal);
            Assert.InRange(RateOf(roll), 13, 30);
            Assert.All(roll.Parts.Zip(roll.Parts.Skip(1)), p => Assert.InRange(p.Second.StartFrame - p.First.StartFrame, 1, 5)); // at most 0.086 s
        }
        foreach (var applause in made.Where(t => t.StandsFor == "applause_0"))
        {
            Assert.Equal(["clap_drum_0", "clap_drum_1", "clap_drum_2"], applause.Parts.Select(p => p.Id).Distinct().Order());
            Assert.InRange(RateOf(applause), 18, 65);
            Assert.All(applause.Parts, p => Assert.InRange(p.Decibels, -12, 0));
        }
    }

    [Fact]
    public void Where_there_is_nothing_to_make_one_of_there_is_none()
    {
        Assert.Empty(Draw(20));
    }

    [Fact]
    public void The_encoder_is_told_the_texture_and_not_its_events()
    {
        RenderSounds.Run(_folder.Options("sounds"));
        BuildMels.Run(new() { SoundFolder = Path.Combine(_folder.Root, "sounds"), OutputFolder = Path.Combine(_folder.Root, "mels") });
        using var mels = MelStore.Open(Path.Combine(_folder.Root, "mels"));
        var laid = new MelSheet(mels, new()).Lay([new("dog_1", 10), new("dog_1", 15), new("bell_1", 20)], Variation.None, new Random(1), whole: "wind_1");
        var whole = Assert.Single(laid.Parts);
        Assert.Equal(("wind_1", 10), (whole.Id, whole.First));
        Assert.Equal(whole.End, MelAugmentation.Heard(laid.Mels, mels.Options.Mel.Mels));
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    private static double RateOf(SoundTexture texture) => (texture.Parts.Count - 1) / ((texture.Parts.Max(p => p.StartFrame) - texture.Parts.Min(p => p.StartFrame)) * Frame);

    private void Add(string concept, int count)
    {
        for (int i = 0; i < count; i++)
            _folder.AppendLine("catalogue.jsonl", $$"""{"id":"{{concept}}_{{i}}","package":"pack","path":"dog.wav","duration_s":0.3,"labels":["{{concept}}"],"caption":"It is {{concept}}.","group":"{{concept}}","domain":"sound","label_quality":"strong","concept":"{{concept}}","split":"train"}""");
    }

    private List<SoundTexture> Draw(int count)
    {
        var textures = new SoundTextures([.. SoundCatalogue.Load(_folder.Data).Sounds.Where(s => s.Split == "train")], Frame);
        List<SoundTexture> made = [];
        for (int i = 0; i < count; i++)
        {
            var random = SplitMix.For("texture", (ulong)i);
            if (textures.Draw(ref random) is { } texture)
                made.Add(texture);
        }
        return made;
    }
}
