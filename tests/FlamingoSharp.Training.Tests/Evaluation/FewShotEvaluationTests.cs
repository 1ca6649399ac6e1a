using FlamingoSharp.Models;
using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

/// <summary>What examples are worth: the same sounds in every row, and no sound among its own examples.</summary>
public sealed class FewShotEvaluationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-few-shot-").FullName;
    private readonly FakeEmbedder _embedder = new();
    private readonly SoundIndex _index;

    /// <summary>Three classes of four sounds, those of a class much alike.</summary>
    public FewShotEvaluationTests()
    {
        foreach (var (label, number) in new[] { ("bell", 1), ("Car_horn", 2), ("dog", 3) })
        {
            for (int i = 0; i < 4; i++)
                SmallWaves.Write(PathOf(label, i), (100 * number) + i, number);
        }
        _index = new SoundIndex(new MemorySoundStore(_embedder.Encoder), _embedder);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _index.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string PathOf(string label, int number) => Path.Combine(_folder, label, $"{number}.wav");

    private static FewShotOptions Options { get; } = new() { Shots = [0, 1, 4], Task = labels => TaskPrompts.Classify(labels), Batch = 5 };

    // Nine sounds of four windows.
    private static FlamingoConfig Many { get; } = TinyModel.Config with
    {
        Windows = TinyModel.Config.Windows with { Slots = 1 },
        AudioTransformer = TinyModel.Config.AudioTransformer with { MaxVectors = 36 },
        Language = new OptOptions { VocabularySize = 4103, HiddenSize = 32, Layers = 2, Heads = 2, FeedForward = 64, MaxPositions = 512 },
    };

    private static async Task<FewShotReport> RunAsync(SoundIndex index, FewShotOptions options, IReadOnlyList<SoundEntry>? queries = null)
    {
        using var folder = new TinyModel(Many);
        using var flamingo = Flamingo.Load(folder.Folder);
        return await new FewShotEvaluation(flamingo, index, options).RunAsync(queries, cancellation: TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Each_sound_of_the_index_is_asked_about_without_itself_and_the_nearest_vote_beside()
    {
        await _index.AddAsync(SoundFolders.Find(_folder), cancellation: TestContext.Current.CancellationToken);
        var report = await RunAsync(_index, Options);
        Assert.Equal((12, 0), (report.Queries, report.LeftOut));
        Assert.Equal(["Car horn", "bell", "dog"], report.Labels);
        Assert.Equal([(0, "none"), (1, "similar"), (1, "random"), (4, "similar"), (4, "random")], report.Rows.Select(r => (r.Shots, r.Chosen)));
        Assert.Equal([(1, 1.0, 1.0), (4, 1.0, 1.0)], report.Votes.Select(v => (v.Neighbours, v.Score.Accuracy, v.Score.MacroRecall)));
        Assert.Equal([0, 1, 1], new[] { report.Rows[0], report.Rows[1], report.Rows[3] }.Select(r => r.LabelShown)); // the nearest are of the class
        Assert.InRange(report.Rows[2].LabelShown, 0, 0.6); // one of eleven others: 3 in 11 by chance
        Assert.All(report.Rows, r => Assert.Equal(0, r.Generated.Accuracy)); // weights of noise say no label
        Assert.All(report.Rows, r => Assert.Equal(r.Likeliest.Accuracy, r.Likeliest.MacroRecall, 1e-5)); // the classes are of one size
        Assert.Empty(report.Failures);

        var again = await RunAsync(_index, Options with { Batch = 1 });
        Assert.Equal(report.Rows, again.Rows);
        Assert.Equal(report.Votes, again.Votes);
        Assert.NotEqual(report.Rows[2].LabelShown, (await RunAsync(_index, Options with { Shots = [1], Seed = 4 })).Rows[1].LabelShown);
        Assert.Equal(5, (await RunAsync(_index, Options with { Shots = [0], Limit = 5 })).Queries);
    }

    [Fact]
    public async Task Sounds_from_elsewhere_are_asked_about_and_what_the_index_cannot_name_is_left_out()
    {
        await _index.AddAsync(SoundFolders.Find(_folder), cancellation: TestContext.Current.CancellationToken);
        string[] asked = ["dog", "DOG", "cat"];
        string elsewhere = _folder + "-asked";
        try
        {
            SoundEntry[] queries = [.. asked.Select((label, i) =>
            {
                SmallWaves.Write(Path.Combine(elsewhere, $"{i}.wav"), 900 + i, 3);
                return new SoundEntry(Path.Combine(elsewhere, $"{i}.wav")) { Labels = [label] };
            }), new SoundEntry(Path.Combine(elsewhere, "gone.wav")) { Labels = ["dog"] }];
            var report = await RunAsync(_index, Options with { Shots = [0, 8] }, queries);
            Assert.Equal((2, 1), (report.Queries, report.LeftOut));
            Assert.Equal([$"'{Path.Combine(elsewhere, "gone.wav")}' does not exist; check the path."], report.Failures.Select(f => f.Reason));
            Assert.Equal(1.0, report.Votes.Single().Score.Accuracy); // four dogs among eight, and more alike than the others
            string page = FewShotMarkdown.Of(report);
            Assert.StartsWith("tiny-test on 2 sounds of 3 labels (memory, neighbours by fake (32 dimensions, weights 00112233)): accuracy, and macro recall in brackets.\n", page, StringComparison.Ordinal);
            Assert.Contains("\n| no model: vote of the nearest 8 | ", page, StringComparison.Ordinal);
            Assert.Contains(" 100.0 % (100.0 %) |\n", page, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public async Task Examples_are_never_the_sound_itself_its_copies_or_others_of_its_group()
    {
        await _index.AddAsync(SoundFolders.Find(_folder), cancellation: TestContext.Current.CancellationToken);
        string GroupOf(IndexedSound sound) => Path.GetDirectoryName(sound.Path) + (int.Parse(Path.GetFileNameWithoutExtension(sound.Path)) / 2); // pairs
        var pool = await FewShotPool.ReadAsync(_index.Store, GroupOf, TestContext.Current.CancellationToken);
        Assert.All(pool.Sounds, asked =>
        {
            Assert.True(pool.HasRival(asked));
            string[] shown = [.. pool.Draw(asked, 100, seed: 1).Select(m => m.Sound.Path)];
            Assert.Equal(pool.Sounds.Where(s => GroupOf(s) != GroupOf(asked)).Select(s => s.Path).Order(), shown.Order());
            Assert.Equal(shown[..3], pool.Draw(asked, 3, seed: 1).Select(m => m.Sound.Path));
        });
        var copy = pool.Sounds[0] with { Id = "copy", Hash = "other bytes", Path = "elsewhere.wav" };
        var alone = await FewShotPool.ReadAsync(_index.Store, _ => null, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(pool.Sounds[0].Path, alone.Draw(copy, 100, seed: 1).Select(m => m.Sound.Path)); // another file of the same sound
        Assert.Equal(11, alone.Draw(copy, 100, seed: 1).Count);

        var whole = await Assert.ThrowsAsync<FlamingoException>(() => RunAsync(_index, Options with { GroupOf = s => s.Labels[0] }));
        Assert.Equal("None of the 12 sounds to ask about shares a label with another sound of the index 'memory', so none can be named by example. Label them as the index does.", whole.Message);
    }

    [Fact]
    public void An_answer_is_right_if_it_is_the_label_whatever_its_case_and_stop()
    {
        var tally = new FewShotTally([0], ["bell", "dog", "metal"]);
        void Add(string said, string likeliest, params string[] right) => tally.Add(0, ShotChoice.Similar, right, ShotSet.None, said, likeliest);
        Add("Bell.", "bell", "bell");
        Add("a bell", "dog", "bell");
        Add("metal", "metal", "bell", "metal");
        Add("bell, metal", "dog", "bell", "metal");
        Add("(B)", "dog", "dog");
        var row = tally.Rows().Single();
        Assert.Equal((0.8, 0.6), (row.Generated.Accuracy, row.Likeliest.Accuracy));
        Assert.Equal(Math.Round(((2.0 / 3) + 1 + 1) / 3, 6), row.Generated.MacroRecall); // bell: 2 of 3, dog, metal
    }

    [Theory]
    [InlineData("The numbers of examples are 0, 9, but a prompt takes 0 to 8.", 0, 9)]
    [InlineData("No sound of the index 'memory' has a label. Build it from class folders or a manifest with labels.", 0, 1)]
    public async Task What_cannot_be_measured_is_said(string message, params int[] shots) =>
        Assert.Equal(message, (await Assert.ThrowsAsync<FlamingoException>(() => RunAsync(_index, Options with { Shots = shots }))).Message);

    [Fact]
    public async Task More_examples_than_the_index_has_others_are_refused()
    {
        await _index.AddAsync(SoundFolders.Find(_folder).Take(8), cancellation: TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<FlamingoException>(() => RunAsync(_index, Options with { Shots = [8] }));
        Assert.Matches(@"^The index 'memory' has 7 sounds that may be shown before '.*0\.wav', but 8 examples were asked for; ask for fewer\.$", error.Message);
    }
}
