using FlamingoSharp.Models;
using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>Prompts and masks of 0 to 8 examples are those of the reference.</summary>
public sealed class FewShotTests
{
    /// <summary>0 to 8 examples.</summary>
    public static TheoryData<int> Counts => [.. Enumerable.Range(0, FewShot.MaxShots + 1)];

    [Theory, MemberData(nameof(Counts))]
    public void The_prompt_is_that_of_the_reference(int shots)
    {
        // The reference's data code for interleaved samples, validation form, spelled out; a single question as in its released inference.
        string[] answers = [.. Enumerable.Range(0, shots).Select(i => $" Label {i} ")];
        var task = TaskPrompts.Classify(["Rain", "Bell"]);
        const string Options = "\noptions:\n - bell.\n - rain.";
        string expected = shots == 0
            ? $"</s>the task is event classification. <audio>classify this sound.{Options}\nanswer:<SEP>"
            : "</s>Here are similar examples. The task is event classification. "
                + string.Concat(Enumerable.Range(0, shots).Select(i => $"<audio>classify this sound.\nanswer:<SEP>label {i}<|endofchunk|>"))
                + $"<audio>classify this sound.{Options}\nanswer:<SEP>";
        Assert.Equal(expected, Spell(PromptFormat.Af1Inference.FewShot(ShotChoice.Similar, task, answers)));
        if (shots > 0)
            Assert.StartsWith("</s>Here are random examples. The task is", Spell(PromptFormat.Af1Inference.FewShot(ShotChoice.Random, task, answers)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_question_is_asked_of_each_example_in_the_same_words()
    {
        var prompt = PromptFormat.Af1Inference.FewShot(ShotChoice.Similar, TaskPrompts.YesOrNo("Is it a Bell?"), ["yes", "No"]);
        const string Asked = "<audio>please answer this question: is it a bell?\noptions:\nyes.\nno.\nanswer:<SEP>";
        Assert.Equal($"</s>Here are similar examples. The task is audio question answering. {Asked}yes<|endofchunk|>{Asked}no<|endofchunk|>{Asked}", Spell(prompt));
        Assert.Equal(3, prompt.Sounds);
    }

    [Theory, MemberData(nameof(Counts)), NoTensorLeak]
    public void The_mask_is_that_of_the_rule_with_padded_windows(int shots)
    {
        using var scope = NewDisposeScope();
        int sounds = shots + 1, rows = 4 * sounds + 3;
        const int W = 4;
        long[] positions = [.. Enumerable.Range(0, sounds).Select(i => 2L + (4 * i))];
        int[] real = [.. Enumerable.Range(0, sounds).Select(i => 1 + (i * 3 % W))]; // of each sound's windows
        bool[,] expected = RuleOfTheReference(positions, rows, sounds * W, W);
        var visible = CrossAttentionMask.FewShot([positions], 0, rows, W, sounds * W);
        for (int t = 0; t < rows; t++)
        {
            for (int c = 0; c < sounds * W; c++)
                Assert.Equal(expected[t, c], visible[0, t, c].ToBoolean());
        }

        // And as the model combines it with the filling of short sounds: the same rows, without the columns of silence.
        using var folder = new TinyModel(Many);
        using var flamingo = Flamingo.Load(folder.Folder);
        var heard = real.Select((n, i) => flamingo.Hear(TinyModel.Recording(i, n == 1 ? 0.9 : 1 + ((n - 1.5) * 0.5)))).ToList();
        try
        {
            Assert.Equal(real, heard.Select(h => h.Windows));
            var question = FewShot.Ask(flamingo.Config.Prompts, TaskPrompts.Caption,
                new ShotSet(ShotChoice.Similar, [.. Enumerable.Range(0, shots).Select(i => new ShotEntry($"{i}", "x"))]), heard[..^1], heard[^1]);
            long[] ids = [.. question.Prompt.Encode(flamingo.Tokenizer).Select(i => (long)i)];
            long[] places = [.. ids.Select((id, i) => (id, i)).Where(x => x.id == flamingo.Tokenizer.Special.Audio.Id).Select(x => (long)x.i)];
            bool[,] rule = RuleOfTheReference(places, ids.Length, sounds * W, W);
            float[] scores = flamingo.MediaScoresOf(question);
            Assert.Equal(ids.Length * sounds * W, scores.Length);
            for (int t = 0; t < ids.Length; t++)
            {
                for (int c = 0; c < sounds * W; c++)
                    Assert.Equal(rule[t, c] && c % W < real[c / W], scores[(t * sounds * W) + c] == 0);
            }
        }
        finally
        {
            heard.ForEach(h => h.Dispose());
        }
    }

    [Fact]
    public void A_model_lays_out_as_many_sounds_as_the_prompt_has()
    {
        using var folder = new TinyModel(Many);
        using var flamingo = Flamingo.Load(folder.Folder);
        using var more = new TinyModel(Many with { Windows = Many.Windows with { Slots = 3 } });
        using var three = Flamingo.Load(more.Folder);
        string[] texts = [.. new[] { flamingo, three }.Select(model =>
        {
            using var a = model.Hear(TinyModel.Recording(1));
            using var b = model.Hear(TinyModel.Recording(2));
            using var c = model.Hear(TinyModel.Recording(3));
            var shots = new ShotSet(ShotChoice.Similar, [new("a", "rain"), new("b", "bell")]);
            return model.Answer([FewShot.Ask(model.Config.Prompts, TaskPrompts.Caption, shots, [a, b], c)], new() { MaxNewTokens = 8 })[0].Text;
        })];
        Assert.Equal(texts[1], texts[0]);
    }

    [Fact]
    public void Too_many_examples_and_models_without_a_form_are_refused()
    {
        var nine = new ShotSet(ShotChoice.Similar, [.. Enumerable.Range(0, 9).Select(i => new ShotEntry($"{i}", "x"))]);
        Assert.Equal("9 examples were asked for, but a prompt takes 0 to 8.",
            Assert.Throws<FlamingoException>(() => FewShot.Ask(PromptFormat.Af1Inference, TaskPrompts.Caption, nine, [], null!)).Message);
        Assert.Equal("The prompt format af2 has no form for examples; ask without them.",
            Assert.Throws<FlamingoException>(() => PromptFormat.Af2.FewShot(ShotChoice.Similar, TaskPrompts.Caption, ["x"])).Message);
    }

    [Fact]
    public async Task Examples_are_the_nearest_with_an_answer_the_nearest_last()
    {
        string folder = Directory.CreateTempSubdirectory("flamingo-shots-").FullName;
        try
        {
            for (int i = 0; i < 6; i++)
                SmallWaves.Write(Path.Combine(folder, i < 3 ? "bell" : "dog", $"{i}.wav"), i, i < 3 ? 1 : 2);
            SmallWaves.Write(Path.Combine(folder, "unlabelled.wav"), 77, 1);
            SmallWaves.Write(Path.Combine(folder, "..", Path.GetFileName(folder) + "-new.wav"), 99, 1);
            string asked = folder + "-new.wav";
            using var embedder = new FakeEmbedder();
            using var store = new MemorySoundStore(embedder.Encoder);
            using var index = new SoundIndex(store, embedder);
            await index.AddAsync(SoundFolders.Find(folder));
            var shots = await FewShot.SimilarAsync(index, asked, 4);
            Assert.Equal(ShotChoice.Similar, shots.Choice);
            Assert.Equal(["dog", "bell", "bell", "bell"], shots.Entries.Select(e => e.Answer));
            Assert.Equal(shots.Entries.OrderBy(e => e.Similarity), shots.Entries);
            Assert.All((await FewShot.SimilarAsync(index, asked, 8, ["Dog"])).Entries, e => Assert.Equal("Dog", e.Answer));
            Assert.Empty((await FewShot.SimilarAsync(index, asked, 0)).Entries);

            var drawn = await FewShot.RandomAsync(index, asked, 4, seed: 5);
            Assert.Equal((ShotChoice.Random, 4), (drawn.Choice, drawn.Entries.Select(e => e.Path).Distinct().Count()));
            Assert.Equal(drawn.Entries, (await FewShot.RandomAsync(index, asked, 4, seed: 5)).Entries);
            Assert.Contains(await Task.WhenAll(Enumerable.Range(6, 5).Select(s => FewShot.RandomAsync(index, asked, 4, s))), d => !d.Entries.SequenceEqual(drawn.Entries));

            var error = await Assert.ThrowsAsync<FlamingoException>(() => FewShot.SimilarAsync(index, asked, 2, ["cat"]));
            Assert.Equal("No sound of the index 'memory' has one of the labels cat. Name labels of the index; 'flamingo index stats' lists them.", error.Message);
            File.Delete(asked);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Nine sounds of four windows; the positions of a table of sines reach for all of them.
    private static FlamingoConfig Many { get; } = TinyModel.Config with
    {
        Windows = TinyModel.Config.Windows with { Slots = 1 },
        AudioTransformer = TinyModel.Config.AudioTransformer with { MaxVectors = 36 },
        Language = new OptOptions { VocabularySize = 4103, HiddenSize = 32, Layers = 2, Heads = 2, FeedForward = 64, MaxPositions = 512 },
    };

    private static string Spell(Prompt prompt) => prompt.ToText(new SpecialTokens
    {
        Bos = new SpecialToken(2, "</s>"),
        Eos = new SpecialToken(2, "</s>"),
        Pad = new SpecialToken(1, "<pad>"),
        Audio = new SpecialToken(10, "<audio>"),
        EndOfChunk = new SpecialToken(11, "<|endofchunk|>"),
        Separator = new SpecialToken(12, "<SEP>"),
    });

    // SPEC of the reference, few-shot mask: for i = -1 .. k-1 a band of rows may look at a band of columns.
    private static bool[,] RuleOfTheReference(long[] p, int rows, int columns, int w)
    {
        bool[,] visible = new bool[rows, columns];
        int k = p.Length;
        for (int i = -1; i < k; i++)
        {
            long from = i == -1 ? 0 : p[i], to = i == -1 ? (k == 1 ? rows : p[0]) : i < k - 1 ? p[i + 1] : rows;
            int end = i == -1 ? w : i < k - 1 ? (i + 1) * w : k * w;
            for (long t = from; t < Math.Min(to, rows); t++)
            {
                for (int c = 0; c < Math.Min(end, columns); c++)
                    visible[t, c] = true;
            }
        }
        return visible;
    }
}
