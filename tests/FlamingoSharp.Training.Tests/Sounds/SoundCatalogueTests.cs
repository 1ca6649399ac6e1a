using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Tests.Sounds;

public sealed class SoundCatalogueTests : IDisposable
{
    private readonly SoundFolder _folder = new();

    [Fact]
    public void Reads_clips_recipes_and_questions_and_ignores_unknown_fields()
    {
        var catalogue = SoundCatalogue.Load(_folder.Data);
        Assert.Equal((4, 5, 5), (catalogue.Clips.Count, catalogue.Recipes.Count, catalogue.Questions.Count));
        var wind = (Clip)catalogue["wind_1"];
        Assert.Equal((0.5, 1.0, "weak", "wind"), (wind.StartSeconds, wind.UseSeconds, wind.LabelQuality, wind.Concept));
        var mix = (CompositionRecipe)catalogue["mix"];
        Assert.Equal(CompositionKind.Mix, mix.Composition);
        Assert.Equal([("bell", "a bell"), ("wind", "wind")], mix.Heard);
        Assert.Equal((-10.0, 4.0), (mix.Parts[0].GainDecibels, mix.Parts[0].DurationSeconds));
        Assert.Empty(catalogue.Questions[2].Choices);
    }

    [Fact]
    public void Reads_notes_voices_and_tones()
    {
        _folder.WriteLines("synthesis.jsonl", """
            {"id":"a","kind":"fluidsynth","soundfont":"timgm6mb-soundfont","program":40,"instrument":"Violin","notes":[{"note":64,"velocity":110,"start_s":0.5,"dur_s":1.5}],"duration_s":2.2,"labels":["violin"],"caption":"A violin.","domain":"music","split":"train"}
            {"id":"b","kind":"fluidsynth","soundfont":"timgm6mb-soundfont","program":"drum kit (channel 10)","notes":[{"note":36,"velocity":110,"start_s":0,"dur_s":0.1}],"labels":["drums"],"caption":"Drums.","domain":"music","split":"train"}
            {"id":"c","kind":"espeak-ng","voice":"de","language":"German","text":"Ja.","speed_wpm":120,"pitch":35,"labels":["speech"],"caption":"Speech.","domain":"speech","split":"train"}
            {"id":"d","kind":"sox","synth":{"wave":"sine","freq_hz":[150,400],"gain_db":-8,"fade_s":0.02},"duration_s":3,"labels":["sweep"],"caption":"A sweep.","domain":"sound","split":"train"}
            {"id":"e","kind":"sox","synth":{"wave":"sine","sequence":[{"freq_hz":400,"dur_s":0.8,"gain_db":-30},{"silence_s":0.3},{"same_freq":true,"dur_s":0.8,"gain_db":-6}]},"duration_s":1.9,"labels":["tone"],"caption":"Two tones.","domain":"sound","split":"train"}
            """);
        var catalogue = SoundCatalogue.Load(SaveWithoutQuestions());
        var violin = (MusicRecipe)catalogue["a"];
        Assert.Equal((40, new Note(64, 110, 0.5, 1.5)), (violin.Program, violin.Notes[0]));
        Assert.Null(((MusicRecipe)catalogue["b"]).Program);
        Assert.Equal(("espeak-ng", 120, 35), (((SpokenRecipe)catalogue["c"]).Tool, ((SpokenRecipe)catalogue["c"]).WordsPerMinute, ((SpokenRecipe)catalogue["c"]).Pitch));
        Assert.Equal((150.0, 400.0), (((ToneRecipe)catalogue["d"]).FromHertz, ((ToneRecipe)catalogue["d"]).ToHertz));
        Assert.Equal([new(400, 0.8, -30), new(null, 0.3, 0), new(400, 0.8, -6)], ((ToneRecipe)catalogue["e"]).Sequence);
    }

    [Theory]
    [InlineData("""{"id":"x",""", "'{0}' line 6: ")]
    [InlineData("""{"id":"x","split":"train","domain":"sound","caption":"c","labels":[],"kind":"theremin"}""", "'{0}' line 6: kind is 'theremin', expected fluidsynth, espeak-ng, flite, sox or compose")]
    [InlineData("""{"id":"x","split":"train","domain":"sound","caption":"c","labels":[],"kind":"flite","text":"t"}""", "'{0}' line 6: a flite recipe needs the field 'voice'")]
    [InlineData("""{"id":"x","split":"train","domain":"sound","caption":"c","labels":[],"kind":"compose","op":"shuffle"}""", "'{0}' line 6: op is 'shuffle', expected repeat, sequence or mix")]
    [InlineData("""{"id":"x","split":"train","domain":"sound","caption":"c","labels":[],"kind":"fluidsynth","soundfont":"s","program":200,"notes":[]}""", "'{0}' line 6: program is 200, expected 0 to 127 or \"drum kit (channel 10)\"")]
    public void Names_the_file_and_line_of_a_broken_recipe(string line, string message)
    {
        _folder.AppendLine("synthesis.jsonl", line);
        var error = Assert.Throws<FlamingoException>(() => SoundCatalogue.Load(_folder.Data));
        Assert.StartsWith(string.Format(message, Path.Combine(_folder.Data, "synthesis.jsonl")), error.Message, StringComparison.Ordinal);
        Assert.Equal(FlamingoErrorKind.Input, error.Kind);
    }

    [Theory]
    [InlineData("qa.jsonl", """{"id":"q9","ref":"cat_7","type":"count","question":"?","answer":"1","split":"train"}""", "the question 'q9' asks about 'cat_7', which is neither a clip nor a recipe.")]
    [InlineData("synthesis.jsonl", """{"id":"dog_1","kind":"sox","synth":{"wave":"silence"},"duration_s":1,"labels":[],"caption":"c","domain":"sound","split":"train"}""", "the id 'dog_1' is used twice.")]
    [InlineData("synthesis.jsonl", """{"id":"x","kind":"compose","op":"repeat","parts":[{"ref":"rep"}],"labels":[],"caption":"c","domain":"sound","split":"train"}""", "the recipe 'x' uses 'rep', which is no clip of the catalogue.")]
    public void Refuses_files_that_contradict_each_other(string file, string line, string message)
    {
        _folder.AppendLine(file, line);
        var error = Assert.Throws<FlamingoException>(() => SoundCatalogue.Load(_folder.Data));
        Assert.Equal("The sound catalogue contradicts itself: " + message, error.Message);
    }

    [Fact]
    public void Leaves_out_a_concept_with_all_that_is_made_of_it()
    {
        var whole = SoundCatalogue.Load(_folder.Data);
        var without = whole.Without(["dog"]);
        Assert.Equal(["bell_1", "wind_1", "long_1"], without.Clips.Select(c => c.Id));
        Assert.Equal(["mix", "beeps", "quiet"], without.Recipes.Select(r => r.Id));
        Assert.Equal(["q2", "q5"], without.Questions.Select(q => q.Id));
        Assert.Same(whole, whole.Without([]));
        var error = Assert.Throws<FlamingoException>(() => whole.Without(["dog", "cat"]));
        Assert.Equal("No clip of the catalogue has the concept 'cat', so it cannot be left out: name concepts as catalogue.jsonl does, for instance 'bell'.", error.Message);
    }

    [Fact]
    public void The_permissive_part_holds_what_asks_only_to_be_named_and_what_is_computed()
    {
        _folder.AppendLine("catalogue.jsonl", """{"id":"free_1","package":"pack","path":"dog.wav","duration_s":0.3,"license":"CC-BY-4.0","labels":["dog"],"caption":"A dog.","group":"f","domain":"sound","label_quality":"strong","concept":"dog","split":"train"}""");
        _folder.AppendLine("catalogue.jsonl", """{"id":"alike_1","package":"pack","path":"dog.wav","duration_s":0.3,"license":"CC-BY-SA-4.0","labels":["dog"],"caption":"A dog.","group":"s","domain":"sound","label_quality":"strong","concept":"dog","split":"train"}""");
        var chosen = new SoundChoice { PermissiveOnly = true }.Of(SoundCatalogue.Load(_folder.Data));
        Assert.Equal(["free_1"], chosen.Clips.Select(c => c.Id));
        Assert.Equal(["beeps", "quiet"], chosen.Recipes.Select(r => r.Id));
        Assert.Empty(new SoundChoice { PermissiveOnly = true, LeaveOut = ["dog"] }.Of(SoundCatalogue.Load(_folder.Data)).Clips);
    }

    [Fact]
    public void Says_which_file_is_missing()
    {
        var error = Assert.Throws<FlamingoException>(() => SoundCatalogue.Load(_folder.Audio));
        Assert.Equal($"'{Path.Combine(_folder.Audio, "catalogue.jsonl")}' does not exist: name the folder that holds the data files.", error.Message);
    }

    public void Dispose() => _folder.Dispose();

    private string SaveWithoutQuestions()
    {
        File.Delete(Path.Combine(_folder.Data, "qa.jsonl"));
        return _folder.Data;
    }
}
