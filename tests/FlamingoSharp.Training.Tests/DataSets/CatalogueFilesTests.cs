using FlamingoSharp.Audio;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Sounds;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.DataSets;

public sealed class CatalogueFilesTests : IDisposable
{
    private readonly SoundFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Out => Path.Combine(_folder.Root, "set");

    private BuiltDataSet Build(bool permissive = false, bool withRecipes = true) => BuildDataSet.From(
        new CatalogueFilesOptions
        {
            Catalogue = Path.Combine(_folder.Data, "catalogue.jsonl"),
            Synthesis = withRecipes ? Path.Combine(_folder.Data, "synthesis.jsonl") : null,
            Questions = Path.Combine(_folder.Data, "qa.jsonl"),
            AudioFolder = _folder.Audio,
            PermissiveOnly = permissive,
        },
        new() { OutputFolder = Out, Name = "Sounds" }, cancellation: TestContext.Current.CancellationToken);

    private static Dictionary<string, int> Counts(BuiltDataSet built) => built.Set.Manifests.ToDictionary(m => m.Name, m => m.Count);

    private static Example[] ExamplesOf(DataSet set, string manifest) =>
        [.. set.Read(set.Manifests.Single(m => m.Name == manifest)).Items.Select(i => i.Value.Examples[0])];

    [Fact]
    public void Clips_recipes_and_questions_become_three_tasks()
    {
        var built = Build();
        Assert.Empty(built.LeftOut);
        Assert.Equal(new Dictionary<string, int>
        {
            ["Sounds-AudioCaptioning/train"] = 8,
            ["Sounds-AudioCaptioning/val"] = 1,
            ["Sounds-EventClassification/train"] = 8,
            ["Sounds-EventClassification/val"] = 1,
            ["Sounds-AQA/train"] = 4, // what is said is not asked
        }, Counts(built));

        var question = ExamplesOf(built.Set, "Sounds-AQA/train").Single(e => e.Type == "sound_class" && e.Output == "dog");
        Assert.StartsWith("please answer this question: what sound is this?\noptions:\n - ", question.Prompt, StringComparison.Ordinal);
        Assert.DoesNotContain("nswer:", question.Prompt, StringComparison.Ordinal);
        Assert.Equal(["bell", "dog", "wind"], question.Choices.Order(StringComparer.Ordinal));
        Assert.All(question.Choices, c => Assert.Contains($"\n - {c}.", question.Prompt, StringComparison.Ordinal));
        Assert.Equal(["yes", "no"], ExamplesOf(built.Set, "Sounds-AQA/train").Single(e => e.Type == "presence").Choices);
        Assert.Empty(ExamplesOf(built.Set, "Sounds-AQA/train").Single(e => e.Type == "count").Choices);
    }

    [Fact]
    public void Clips_stay_where_they_are_with_the_part_that_is_meant()
    {
        var wind = ExamplesOf(Build().Set, "Sounds-AudioCaptioning/train").Single(e => e.Output == "wind blows.");
        Assert.Equal((Path.Combine(_folder.Audio, "pack", "wind.wav"), 0.5, 1.0), (wind.Name, wind.AudioStart, wind.AudioDuration));
        Assert.Equal(["wind", "weather"], wind.Labels);
    }

    [Fact]
    public void Recipes_are_rendered_into_the_set_and_only_once()
    {
        var set = Build().Set;
        var repeated = ExamplesOf(set, "Sounds-AudioCaptioning/train").Single(e => e.Output.Contains("three times", StringComparison.Ordinal));
        Assert.StartsWith("audio/rep-", repeated.Name, StringComparison.Ordinal);
        var sound = SoundFile.Load(set.SoundPath(repeated.Name), new() { SampleRate = 32000 });
        Assert.Equal(3, SoundFolder.Bursts(Array.ConvertAll(sound.Samples, s => (float)s), 32000));

        var times = Directory.GetFiles(Path.Combine(Out, "audio")).ToDictionary(f => f, File.GetLastWriteTimeUtc);
        Assert.Equal(5, times.Count);
        Build();
        Assert.Equal(times, Directory.GetFiles(Path.Combine(Out, "audio")).ToDictionary(f => f, File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void A_part_of_a_catalogue_leaves_out_what_refers_to_the_rest()
    {
        _folder.AppendLine("synthesis.jsonl", """{"id":"other","kind":"compose","op":"sequence","parts":[{"ref":"long_1","start_s":0}],"labels":["x"],"caption":"X.","domain":"sound","split":"train"}""");
        _folder.AppendLine("synthesis.jsonl", """{"id":"gone","kind":"compose","op":"sequence","parts":[{"ref":"nowhere","start_s":0}],"labels":["x"],"caption":"X.","domain":"sound","split":"train"}""");
        _folder.AppendLine("qa.jsonl", """{"id":"q9","ref":"gone","type":"count","question":"How many?","answer":"1","split":"train"}""");
        var built = Build();
        Assert.Equal(
            [("the recipe 'other'", "uses clips of another split", false), ("the recipe 'gone'", "uses clips that are not in the catalogue", false), ("the question 'q9'", "asks about a sound that is not there", false)],
            built.LeftOut.Select(l => (l.What, l.Reason, l.IsFault)));
        Assert.Equal(8, Counts(built)["Sounds-AudioCaptioning/train"]);
    }

    [Fact]
    public void Splits_may_have_any_name_and_files_may_be_missing()
    {
        foreach (string file in Directory.GetFiles(_folder.Data))
            File.WriteAllText(file, File.ReadAllText(file).Replace("\"split\":\"train\"", "\"split\":\"heldout\"", StringComparison.Ordinal).Replace("\"split\":\"val\"", "\"split\":\"heldout\"", StringComparison.Ordinal));
        var built = Build(withRecipes: false);
        Assert.Equal(["heldout"], built.Set.Splits);
        Assert.Equal(4, Counts(built)["Sounds-AudioCaptioning/heldout"]);
        Assert.False(Directory.Exists(Path.Combine(Out, "audio")));
        Assert.Equal(["the question 'q3'"], built.LeftOut.Select(l => l.What));
    }

    [Fact]
    public void Missing_clips_are_faults_of_their_own_and_of_what_is_made_of_them()
    {
        File.Delete(Path.Combine(_folder.Audio, "pack", "bell.wav"));
        var built = Build();
        Assert.Equal(
            ["the recipe 'seq'", "the recipe 'mix'", Path.Combine(_folder.Audio, "pack", "bell.wav")],
            built.LeftOut.Select(l => l.What));
        Assert.All(built.LeftOut, l => Assert.True(l.IsFault));
        Assert.Equal(5, Counts(built)["Sounds-AudioCaptioning/train"]);
    }

    [Fact]
    public void Only_permissive_sources_on_request()
    {
        string catalogue = Path.Combine(_folder.Data, "catalogue.jsonl");
        File.WriteAllLines(catalogue, File.ReadAllLines(catalogue).Select((l, i) => l.Replace("{\"id\"", $"{{\"license\":\"{(i is 0 or 2 ? "CC-BY-3.0" : "GPL-2+")}\",\"id\"", StringComparison.Ordinal)));
        var built = Build(permissive: true);
        string[] captions = [.. ExamplesOf(built.Set, "Sounds-AudioCaptioning/train").Select(e => e.Output)];
        Assert.Equal(["a dog barks.", "wind blows.", "a dog barking, repeated so that it is heard three times.", "two beeps.", "silence."], captions);
        Assert.Contains(built.LeftOut, l => l == new LeftOut("'bell_1'", "is under GPL-2+, which asks for more than to be named", false));
        Assert.Contains(built.LeftOut, l => l == new LeftOut("'mix'", "is composed of clips whose licences ask for more than to be named", false));
        Assert.Equal("""
            # Sources of the sounds

            ## Recorded

            | package | licence of the files | clips |
            |---|---|---|
            | pack | CC-BY-3.0 | 2 |

            ## Made

            | with | licence | sounds |
            |---|---|---|
            | clips of the list above | theirs | 1 |
            | tones and noises, computed | none | 2 |

            """, File.ReadAllText(Path.Combine(Out, "SOURCES.md")));
    }

    [Theory]
    [InlineData("CC0-1.0", true)]
    [InlineData("CC-BY-4.0", true)]
    [InlineData("public-domain", true)]
    [InlineData("MIT-like (BSD-like)", true)]
    [InlineData("Expat", true)]
    [InlineData("BSD-2-Clause", true)]
    [InlineData("CC-BY-SA-3.0 or CC-BY-3.0", true)]
    [InlineData("CC-BY-SA-3.0", false)]
    [InlineData("CC-BY-NC-4.0", false)]
    [InlineData("CC-BY-SA-2.0 / CC-BY-3.0", false)]
    [InlineData("GPL-2+", false)]
    [InlineData("LGPL-2.1 or MPL", false)]
    [InlineData("see debian/copyright", false)]
    [InlineData("", false)]
    public void Licences_are_judged_by_their_names(string license, bool permissive) => Assert.Equal(permissive, SoundLicenses.IsPermissive(license));

    [Fact]
    public void A_folder_of_audio_that_is_not_there_is_named()
    {
        Directory.Delete(_folder.Audio, recursive: true);
        Assert.Equal($"There is no folder '{_folder.Audio}' with the clips of the catalogue; check the path.", Assert.Throws<FlamingoException>(() => Build()).Message);
        Assert.False(Directory.Exists(Out));
    }
}
