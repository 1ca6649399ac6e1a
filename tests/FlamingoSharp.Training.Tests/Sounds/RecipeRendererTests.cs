using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class RecipeRendererTests : IDisposable
{
    private const int Rate = 32000;

    private readonly SoundFolder _folder = new();

    [Fact]
    public void A_repeated_clip_is_heard_as_often_as_it_is_repeated()
    {
        Assert.Equal(3, SoundFolder.Bursts(Render("rep"), Rate));
        Assert.Equal(2, SoundFolder.Bursts(Render("seq"), Rate));
    }

    [Fact]
    public void The_parts_of_a_sequence_come_in_order()
    {
        float[] sound = Render("seq");
        Assert.InRange(Upcrossings(sound.AsSpan(0, Rate / 10)), 29, 31);    // dog: 300 Hz
        Assert.InRange(Upcrossings(sound.AsSpan(Rate, Rate / 10)), 89, 91); // bell: 900 Hz
    }

    [Fact]
    public void The_background_of_a_mix_is_looped_and_lies_under_the_foreground_by_its_gain()
    {
        float[] sound = Render("mix");
        Assert.Equal(4 * Rate, sound.Length);
        // One second of wind, four times; the bell of half a second lies over the third.
        Assert.Equal(SoundLevel.Rms(sound.AsSpan(0, Rate)), SoundLevel.Rms(sound.AsSpan(Rate, Rate)), 5);
        var bell = sound.AsSpan(2 * Rate, Rate / 2).ToArray().Zip(sound.AsSpan(0, Rate / 2).ToArray(), (a, b) => a - b).ToArray();
        Assert.Equal(10, 20 * Math.Log10(SoundLevel.Rms(bell) / SoundLevel.Rms(sound.AsSpan(0, Rate))), 1);
    }

    [Fact]
    public void Notes_are_cut_apart_where_they_were_laid_and_sound_the_same_every_time()
    {
        SoundFolder.Need("fluidsynth");
        var synth = new FluidSynth(_folder.Audio, _folder.Root, Rate);
        Assert.SkipUnless(File.Exists("/usr/share/sounds/sf2/TimGM6mb.sf2"), "The soundfont timgm6mb-soundfont is not installed.");
        MusicRecipe[] recipes =
        [
            Music("a", 0, new Note(60, 100, 0, 1), new Note(64, 100, 0.25, 0.777)), Music("b", 48, new Note(62, 80, 0.1, 0.5)),
            Music("c", null, new Note(36, 110, 0, 0.1), new Note(38, 110, 0.4, 0.1)), Music("d", 73, new Note(72, 90, 0, 0.303)),
        ];
        float[][] together = synth.Play(recipes, CancellationToken.None);
        Assert.Equal(together, synth.Play(recipes, CancellationToken.None));
        for (int i = 0; i < recipes.Length; i++)
        {
            float[] alone = synth.Play([recipes[i]], CancellationToken.None)[0];
            Assert.Equal(alone.Length, together[i].Length);
            double difference = SoundLevel.Rms(alone.Zip(together[i], (a, b) => a - b).ToArray());
            Assert.True(SoundLevel.Rms(alone) > 0.001, $"{recipes[i].Id} is silent");
            Assert.True(difference < SoundLevel.Rms(alone) / 20, $"{recipes[i].Id} differs by {difference}");
        }
        Assert.InRange(Upcrossings(Render(Music("e", 80, new Note(69, 100, 0, 2))).AsSpan(Rate / 2, Rate)), 430, 450); // key 69 is 440 Hz
    }

    [Theory]
    [InlineData("espeak-ng", "en")]
    [InlineData("flite", "slt")]
    public void Speaks_the_same_every_time(string tool, string voice)
    {
        SoundFolder.Need(tool);
        SpokenRecipe recipe = new() { Id = "s", Tool = tool, Voice = voice, Language = "English", Text = "- one two three" };
        float[] sound = Render(recipe);
        Assert.True(sound.Length > Rate / 2, "too short for three words");
        Assert.Equal(sound, Render(recipe));
    }

    [Fact]
    public void Says_what_to_install_when_a_tool_is_missing()
    {
        var error = Assert.Throws<FlamingoException>(() => ExternalTool.Run("no-such-synth", "the-package", [], CancellationToken.None));
        Assert.Equal("'no-such-synth' is needed to render these sounds but cannot be started: install the package the-package.", error.Message);
    }

    [Fact]
    public void Passes_on_what_a_failing_tool_says()
    {
        SoundFolder.Need("sh");
        var error = Assert.Throws<FlamingoException>(() =>
            ExternalTool.Run("sh", "dash", ["-c", "echo hint >&2; echo 'no such voice' >&2; exit 3"], CancellationToken.None));
        Assert.Equal("'sh' ended with code 3: no such voice", error.Message);
    }

    [Fact]
    public void Says_where_a_soundfont_was_looked_for()
    {
        var error = Assert.Throws<FlamingoException>(() => Render(Music("a", 0, new Note(60, 100, 0, 1)) with { Soundfont = "my-soundfont" }));
        Assert.Equal("The soundfont package 'my-soundfont' is unknown: expected fluid-soundfont-gm, timgm6mb-soundfont, musescore-general-soundfont-small.", error.Message);
    }

    public void Dispose() => _folder.Dispose();

    private static MusicRecipe Music(string id, int? program, params Note[] notes) =>
        new() { Id = id, Soundfont = "timgm6mb-soundfont", Program = program, Notes = notes, DurationSeconds = 2 };

    private float[] Render(string id) => Render((Recipe)SoundCatalogue.Load(_folder.Data)[id]);

    private float[] Render(Recipe recipe)
    {
        ClipReader clips = new(_folder.Audio, _folder.Root, Rate);
        RecipeRenderer renderer = new(SoundCatalogue.Load(_folder.Data), clips, _folder.Audio, _folder.Root, Rate, maxSeconds: 10.2);
        return Array.ConvertAll(renderer.Render(recipe, CancellationToken.None).Samples, s => (float)s);
    }

    private static int Upcrossings(ReadOnlySpan<float> samples)
    {
        int count = 0;
        for (int i = 1; i < samples.Length; i++)
            count += samples[i - 1] < 0 && samples[i] >= 0 ? 1 : 0;
        return count;
    }
}
