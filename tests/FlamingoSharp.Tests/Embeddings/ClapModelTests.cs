using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;
using FlamingoSharp.Encoders;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Embeddings;

public sealed class ClapModelTests : IDisposable
{
    private readonly TinyClap _tiny = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flamingo-clap-model-");

    private string NewPath => Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));

    [Fact, NoTensorLeak]
    public void Sounds_and_texts_become_unit_vectors_that_never_change()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        using var again = ClapModel.Load(_tiny.Folder);
        var recording = TinyModel.Recording(1);

        var sound = clap.EmbedAudio(recording);
        float[] text = clap.EmbedText("a dog barks");

        Assert.Equal((24, 24), (sound.Vector.Length, text.Length));
        Assert.All([sound.Vector, text], v => Assert.Equal(1, ClapModel.Similarity(v, v), 1e-5));
        Assert.Equal(sound.Vector, again.EmbedAudio(recording).Vector);
        Assert.Equal(text, again.EmbedText("a dog barks"));
        Assert.NotEqual(sound.Vector, clap.EmbedAudio(TinyModel.Recording(2)).Vector);
        Assert.NotEqual(text, clap.EmbedText("a dog howls"));
    }

    [Fact]
    public void A_long_sound_gets_the_mean_direction_of_its_windows_and_the_last_ends_with_the_sound()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        var recording = TinyModel.Recording(3, seconds: 2.3);

        var sound = clap.EmbedAudio(recording);
        var windows = clap.EmbedWindows(recording);
        int last = recording.Samples.Length - 16000;
        float[] end = clap.EmbedAudio(recording with { Samples = recording.Samples[last..] }).Vector;

        Assert.Equal((3, 2.3, 0.0), (sound.Windows, sound.SecondsHeard, sound.SecondsDropped));
        Close(end, windows[2]);
        float[] mean = [.. Enumerable.Range(0, 24).Select(i => windows.Sum(w => w[i]))];
        double length = Math.Sqrt(mean.Sum(v => (double)v * v));
        Close([.. mean.Select(v => (float)(v / length))], sound.Vector);
    }

    [Fact]
    public void What_does_not_fit_the_model_is_counted()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        var sound = clap.EmbedAudio(TinyModel.Recording(4, seconds: 6.5));
        Assert.Equal((4, 4.0, 2.5), (sound.Windows, sound.SecondsHeard, sound.SecondsDropped));
    }

    [Fact]
    public void Texts_of_any_number_come_back_in_their_order_as_each_alone_would()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        string[] texts = [.. Enumerable.Range(0, 70).Select(i => string.Join(' ', Enumerable.Repeat("rain", 1 + i * 7 % 9)) + i)];
        var together = clap.EmbedTexts(texts);
        for (int i = 0; i < texts.Length; i += 13)
            Close(clap.EmbedText(texts[i]), together[i]);
    }

    [Fact]
    public void A_text_that_is_too_long_loses_its_end()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        string fits = string.Concat(Enumerable.Repeat(" rain", 40));
        Assert.Equal(16, clap.CountTokens(fits));
        Assert.Equal(clap.EmbedText(fits), clap.EmbedText(fits + " and hail"));
    }

    [Fact]
    public void A_model_in_lower_case_reads_capitals_as_small_letters()
    {
        using var lower = new TinyClap(TinyClap.Config with { LowerCase = true });
        using var clap = ClapModel.Load(lower.Folder);
        using var other = ClapModel.Load(_tiny.Folder);
        Assert.Equal(clap.EmbedText("rain"), clap.EmbedText("Rain"));
        Assert.NotEqual(other.EmbedText("rain"), other.EmbedText("Rain"));
    }

    [Fact]
    public void A_saved_model_is_the_same_model()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        string saved = NewPath;
        clap.Save(saved);
        using var again = ClapModel.Load(saved);
        Assert.Equal(clap.WeightsHash, again.WeightsHash);
        Assert.Equal(64, clap.WeightsHash.Length);
        Assert.Equal(clap.EmbedText("bell"), again.EmbedText("bell"));
    }

    [Fact]
    public void Models_of_other_weights_or_another_form_have_another_hash()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        using var otherForm = new TinyClap(TinyClap.Config with { ShortSounds = ShortSoundFill.Repeats });
        using var form = ClapModel.Load(otherForm.Folder);
        using var weights = new SyntheticCheckpoint("other", [.. TinyClap.Weights(TinyClap.Config).Weights.Values.Select(w => SyntheticTensor.For(w.Name, w.Shape, "other/"))]);
        string folder = NewPath;
        ClapModel.WriteInto(folder, TinyClap.Config, TinyClap.Tokenizer, weights);
        using var others = ClapModel.Load(folder);
        Assert.Equal(3, new[] { clap, form, others }.Select(c => c.WeightsHash).Distinct().Count());
    }

    [Fact]
    public async Task Several_threads_get_what_each_alone_would()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        float[][] alone = [.. Enumerable.Range(0, 4).Select(i => clap.EmbedAudio(TinyModel.Recording(i)).Vector)];
        float[] text = clap.EmbedText("bell");
        var work = Enumerable.Range(0, 12).Select(i => Task.Run(() => (i, Sound: clap.EmbedAudio(TinyModel.Recording(i % 4)).Vector, Text: clap.EmbedText("bell"))));
        foreach (var (i, sound, read) in await Task.WhenAll(work))
        {
            Assert.Equal(alone[i % 4], sound);
            Assert.Equal(text, read);
        }
    }

    [Fact]
    public void A_published_checkpoint_of_LAION_is_recognised_and_read_whatever_its_size()
    {
        var config = ClapConfig.Laion with
        {
            Audio = HtsatOptions.LaionClap with { EmbedDim = 8, Depths = [1, 1, 2, 1], Heads = [1, 2, 2, 4], Classes = 5 },
            Text = new TextTowerOptions { VocabularySize = 4100, Width = 64, Layers = 2, Heads = 1, FeedForward = 48, Positions = 80 },
            Dimensions = 16,
        };
        string file = Path.Combine(_folder.FullName, "laion.pt");
        using (var weights = TinyClap.Weights(config))
        {
            var extra = new SyntheticCheckpoint("extra", [.. new[] { "logit_scale_t", "text_transform.sequential.0.weight", "audio_transform.sequential.3.bias" }.Select(n => new SyntheticTensor(n, [2], 0, 1))]);
            TorchFile.Write(file, new Joined(weights, extra), name => "module." + (name.StartsWith("clap.nvclap.", StringComparison.Ordinal) ? "audio_branch." + name["clap.nvclap.".Length..] : name));
        }
        string tokenizer = NewPath;
        Directory.CreateDirectory(tokenizer);
        TinyClap.Tokenizer.Save(tokenizer);

        using var clap = ClapModel.Load(file, new() { TokenizerFolder = tokenizer });
        Assert.Equal(config.ToJson(), clap.Config.ToJson());
        var sound = clap.EmbedAudio(Recording.FromSamples([.. Enumerable.Range(0, 48000).Select(i => (float)Math.Sin(i * 0.05))], 48000, 48000));
        Assert.Equal((16, 1, 1.0), (sound.Vector.Length, sound.Windows, sound.SecondsHeard));

        using var deaf = ClapModel.Load(file);
        Assert.False(deaf.ReadsText);
        var error = Assert.Throws<FlamingoException>(() => deaf.EmbedText("rain"));
        Assert.Equal("'laion-clap' was loaded without a tokenizer. Give the folder of the one that it was trained with: RoBERTa's for LAION-CLAP.", error.Message);
        Assert.Throws<FlamingoException>(() => deaf.Save(NewPath));
        Assert.Equal(clap.WeightsHash, deaf.WeightsHash);
    }

    [Fact]
    public void Microsofts_sound_tower_is_an_embedder_of_sounds_alone()
    {
        using var audio = new TinyClap(ClapConfig.Microsoft with
        {
            Name = "sounds",
            Audio = TinyModel.Config.Encoder,
            Dimensions = TinyModel.Config.Encoder.ProjectionDim,
        });
        Assert.False(File.Exists(Path.Combine(audio.Folder, "tokenizer.json")));
        using var clap = ClapModel.Load(audio.Folder);
        Assert.Equal(32, clap.EmbedAudio(TinyModel.Recording(1)).Vector.Length);
        Assert.Equal("'sounds' embeds sounds alone; take a CLAP model with a text tower.", Assert.Throws<FlamingoException>(() => clap.EmbedText("rain")).Message);
        string saved = NewPath;
        clap.Save(saved);
        using var again = ClapModel.Load(saved);
        Assert.Equal(clap.WeightsHash, again.WeightsHash);
    }

    [Fact]
    public void A_folder_of_another_model_a_foreign_checkpoint_and_a_foreign_tokenizer_are_told_apart()
    {
        using var flamingo = new TinyModel();
        Assert.Contains("is not the configuration of a CLAP model (\"kind\": \"clap\")", Assert.Throws<FlamingoException>(() => ClapModel.Load(flamingo.Folder)).Message, StringComparison.Ordinal);

        string foreign = Path.Combine(_folder.FullName, "foreign.safetensors");
        SafeTensorsWriter.WriteFile(foreign, new SyntheticCheckpoint("foreign", [new SyntheticTensor("layer.weight", [2, 2], 0, 1)]));
        Assert.Contains("is no checkpoint of a known CLAP", Assert.Throws<FlamingoException>(() => ClapModel.Load(foreign)).Message, StringComparison.Ordinal);

        using var small = new TinyClap(TinyClap.Config with { Text = TinyClap.Config.Text! with { VocabularySize = 100 } });
        Assert.Equal("The tokenizer spells texts with ids up to 4099 but the text tower has 100 rows. The two do not belong together.",
            Assert.Throws<FlamingoException>(() => ClapModel.Load(small.Folder)).Message);
    }

    [Fact]
    public void A_recording_of_another_rate_and_an_empty_text_are_refused()
    {
        using var clap = ClapModel.Load(_tiny.Folder);
        Assert.Equal("'r' is sampled at 8000 Hz but 'tiny-clap' hears 16000 Hz; load it with that rate.",
            Assert.Throws<FlamingoException>(() => clap.EmbedAudio(new Recording([0.5], 8000) { Name = "r" })).Message);
        Assert.Equal("A text to embed is empty.", Assert.Throws<FlamingoException>(() => clap.EmbedText("  ")).Message);
    }

    public void Dispose()
    {
        _tiny.Dispose();
        _folder.Delete(recursive: true);
    }

    private static void Close(float[] expected, float[] actual) =>
        TensorAssert.Close(expected.Select(v => (double)v).ToArray(), actual.Select(v => (double)v).ToArray(), 1e-5);

    private sealed class Joined(IWeightSource first, IWeightSource second) : IWeightSource
    {
        public string Origin => first.Origin;

        public IReadOnlyDictionary<string, WeightInfo> Weights { get; } = first.Weights.Concat(second.Weights).ToDictionary();

        public Tensor Read(string name, ScalarType? type = null) => (first.Weights.ContainsKey(name) ? first : second).Read(name, type);

        public void Dispose()
        {
        }
    }
}
