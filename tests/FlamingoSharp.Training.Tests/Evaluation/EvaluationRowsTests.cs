using FlamingoSharp.Text;
using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Tests.Evaluation;

public sealed class EvaluationRowsTests : IDisposable
{
    private readonly EvaluationFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_type_of_question_is_a_row_and_choices_are_asked_with_and_without()
    {
        _folder.Manifest("Mine-AQA", "test",
            """{"name":"a","prompt":"question: What is it?","output":"Dog.","type":"sound_class","choices":["cat","dog"]}""",
            """{"name":"a","prompt":"question: Can you hear a dog?","output":"Yes","type":"presence"}""",
            """{"name":"b","prompt":"How many beeps?","output":"3","type":"count"}""");
        var rows = _folder.Rows();
        Assert.Equal(
            [("Mine-AQA: sound_class", AnswerKind.Choice), ("Mine-AQA: sound_class, without choices", AnswerKind.Free), ("Mine-AQA: presence", AnswerKind.YesNo), ("Mine-AQA: count", AnswerKind.Free)],
            rows.Select(r => (r.Name, r.Kind)));
        Assert.Equal(
            ["Please answer this question: What is it?\nOPTIONS:\ncat.\ndog.", "Please answer this question: What is it?",
                "Please answer this question: Can you hear a dog?\nOPTIONS:\nyes.\nno.", "Please answer this question: How many beeps?"],
            rows.Select(r => r.Items[0].Prompt.Prompt));
        Assert.All(rows, r => Assert.Equal("The task is audio question answering.", r.Items[0].Prompt.Prefix));
        Assert.Equal(["Dog"], rows[0].Items[0].Expected);
        Assert.Equal(["yes"], rows[2].Items[0].Expected);
        Assert.Equal("What is it?\nChoose the correct option from the following options:\n(A) cat\n(B) dog".Replace("\n", " "), rows[0].Items[0].Prompt.Plain!.Replace("\n", " "));
    }

    [Fact]
    public void Captions_of_one_recording_are_references_of_one_item()
    {
        _folder.Manifest("Clotho-v2-AudioCaptioning", "test",
            """{"name":"a","prompt":"generate audio caption","output":"Rain falls."}""",
            """{"name":"b","prompt":"generate audio caption","output":"A dog barks."}""",
            """{"name":"a","prompt":"generate audio caption","output":"It rains."}""",
            """{"name":"c","prompt":"generate audio caption","output":"One.|Two."}""");
        var row = Assert.Single(_folder.Rows());
        Assert.Equal(("Clotho-v2", AnswerKind.Caption, 3), (row.Name, row.Kind, row.Items.Count));
        Assert.Equal(["Rain falls.", "It rains."], row.Items[0].Expected);
        Assert.Equal(["One.", "Two."], row.Items[2].Expected);
        Assert.Equal(new TaskPrompt("The task is audio captioning.", "Describe the sound in a sentence."), row.Items[0].Prompt);
        Assert.Equal(0.465, row.Preset!.Published.Single(p => p.Model == "Audio Flamingo 1").Value);
    }

    [Fact]
    public void ClothoAQA_is_parted_by_what_people_answered()
    {
        string[] Asked(string name, string question, params string[] answers) =>
            [.. answers.Select(a => $$"""{"name":"{{name}}","prompt":"question: {{question}}","output":"{{a}}"}""")];
        _folder.Manifest("Clotho-AQA-AQA", "test",
            [.. Asked("a", "is it raining?", "yes", "Yes", "yes"), .. Asked("a", "is it loud?", "yes", "no", "yes"),
                .. Asked("b", "what is heard?", "wind", "rain", "rain"), .. Asked("b", "how many birds?", "2", "2", "3")]);
        var rows = _folder.Rows().ToDictionary(r => r.Preset!.Name);
        Assert.Equal(["is it raining?"], Questions("clotho-aqa-unanimous"));
        Assert.Equal(["what is heard?", "how many birds?"], Questions("clotho-aqa-non-binary"));
        Assert.Equal(["how many birds?"], Questions("clotho-aqa-numerical"));
        Assert.Equal(["rain"], rows["clotho-aqa-non-binary"].Items[0].Expected);

        // A manifest of the row's own takes it from the one that holds all.
        _folder.Manifest("Clotho-AQA-unanimous-AQA", "test", Asked("c", "is it windy?", "no"));
        rows = _folder.Rows().ToDictionary(r => r.Preset!.Name);
        Assert.Equal(["is it windy?"], Questions("clotho-aqa-unanimous"));

        string[] Questions(string preset) => [.. rows[preset].Items.Select(i => EvaluationWording.QuestionOf(i.Prompt.Prompt))];
    }

    [Fact]
    public void Labels_of_a_papers_data_set_are_listed_as_it_was_trained()
    {
        _folder.Manifest("CREMA-D-EmotionClassification", "test", """{"name":"a","prompt":"classify","output":"anger"}""");
        var item = Assert.Single(_folder.Rows()).Items[0];
        Assert.Equal("what is the emotion of this speech?\nOPTIONS:\n - angry.\n - disgusted.\n - fearful.\n - happy.\n - neutral.\n - sad.", item.Prompt.Prompt);
        Assert.Equal(["angry"], item.Expected);
        Assert.Equal("The task is emotion classification.", item.Prompt.Prefix);
    }

    [Fact]
    public void Several_labels_come_from_the_item_or_its_answer()
    {
        _folder.Manifest("FSD50k-EventClassification", "test",
            """{"name":"a","prompt":"","output":"Bark, Dog; Animal."}""",
            """{"name":"b","prompt":"","output":"x","labels":["Rain","count:3"]}""");
        var rows = _folder.Rows();
        Assert.Equal(["FSD50K", "FSD50K, mAP"], rows.Select(r => r.Name));
        Assert.Equal(["bark", "dog", "animal"], rows[0].Items[0].Expected);
        Assert.Equal(["Rain"], rows[0].Items[1].Expected);
        Assert.Equal("describe this sound in the order from specific to general.", rows[0].Items[0].Prompt.Prompt);
        Assert.Equal(rows[0].Items[0].Id, rows[1].Items[0].Id); // one question, two rows
    }

    [Fact]
    public void Every_turn_of_a_dialogue_is_asked_after_the_true_turns_before()
    {
        _folder.Manifest("Mine-Dialog", "test", """{"name":"a","dialogue":[{"user":"What is it?","assistant":"A dog."},{"user":"Loud?","assistant":"Yes."},{"user":"Open"}]}""");
        var row = Assert.Single(_folder.Rows());
        Assert.Equal(AnswerKind.Dialogue, row.Kind);
        Assert.Equal([["A dog."], ["Yes."]], row.Items.Select(i => i.Expected));
        Assert.Equal([new DialogueRound("What is it?", "A dog."), new DialogueRound("Loud?")], row.Items[1].Rounds);
    }

    [Fact]
    public void Examples_of_a_few_shot_manifest_are_shown_first()
    {
        _folder.Manifest("Mine-AQA", "train", """{"name":"t","prompt":"question: What is it?","output":"cat"}""");
        string plain = _folder.Manifest("Mine-AQA", "test", """{"name":"a","prompt":"question: What is it?","output":"dog"}""");
        string shots = Path.Combine(Path.GetDirectoryName(plain)!, "interleaved_knn-test.json");
        File.WriteAllText(shots, $$$"""
            {"dataset_path":"{{{_folder.Root}}}","split":"test","split_path":"","flamingo_task":"Mine-AQA","total_num":1,
             "interleaved_data":{"0":{"generation_index_in_split":0,"fewshot_indices_in_train":[0]} } }
            """);
        var item = Assert.Single(_folder.Rows(shots)).Items[0];
        Assert.Equal((ShotChoice.Similar, "Please answer this question: What is it?", "cat"), (item.Choice, item.Shots[0].Text.Prompt, item.Shots[0].Text.Answer));
        Assert.Equal(["t.wav", "a.wav"], item.Sounds.Select(s => Path.GetFileName(s.Path)));
    }

    [Fact]
    public void A_preset_may_be_named_for_a_manifest_of_any_name_but_not_for_many()
    {
        string mine = _folder.Manifest("Mine-Things", "test", """{"name":"a","prompt":"x","output":"siren"}""");
        var row = Assert.Single(_folder.Rows(mine, "gtzan"));
        Assert.Equal(("GTZAN, zero-shot", AnswerKind.Label), (row.Name, row.Kind));
        _folder.Manifest("Mine-Other", "test", """{"name":"a","prompt":"x","output":"siren"}""");
        Assert.Equal(
            $"None of the 2 manifests of '{_folder.Root}' is called as those of gtzan are; name one manifest instead of the folder.",
            Assert.Throws<FlamingoException>(() => _folder.Rows(null, "gtzan")).Message);
    }

    [Fact]
    public void What_is_not_there_is_said()
    {
        string nowhere = Path.Combine(_folder.Root, "nowhere");
        Assert.Equal($"There is no data set or manifest '{nowhere}'; check the path.", Assert.Throws<FlamingoException>(() => _folder.Rows(nowhere)).Message);
        Assert.Equal($"'{_folder.Root}' has no manifest of the split 'test': expected Dataset-Task/test.json below it.",
            Assert.Throws<FlamingoException>(() => _folder.Rows()).Message);
        _folder.Manifest("Mine-AQA", "test");
        Assert.Equal($"'{_folder.Root}' has no items to be asked about.", Assert.Throws<FlamingoException>(() => _folder.Rows()).Message);
        Assert.StartsWith("There is no preset 'clotho'. Known are clotho-v2, ", Assert.Throws<FlamingoException>(() => _folder.Rows(null, "clotho")).Message, StringComparison.Ordinal);
    }

    [Theory] // numbers from the papers, as users.md and the published tables have them
    [InlineData("clotho-v2", "Audio Flamingo 1", 0.465)]
    [InlineData("clotho-v2", "Audio Flamingo 2 3B", 0.46)]
    [InlineData("clotho-aqa-unanimous", "Audio Flamingo 1", 86.9)]
    [InlineData("fsd50k", "Audio Flamingo 1", 69.7)]
    [InlineData("fsd50k-map", "Audio Flamingo 2 3B", 49.2)]
    [InlineData("urbansound8k", "Audio Flamingo 1, 8 shots", 94.7)]
    [InlineData("musiccaps-dialogue", "Audio Flamingo 1 chat", 1.143)]
    [InlineData("mmau-music", "Audio Flamingo 2 3B", 72.9)]
    [InlineData("longaudiobench", "Audio Flamingo 2 3B", 64.2)]
    public void Presets_carry_the_published_numbers(string preset, string model, double value) =>
        Assert.Equal(value, EvaluationPreset.Find(preset).Published.Single(p => p.Model == model).Value);

    [Fact]
    public void Presets_are_whole()
    {
        Assert.Equal(EvaluationPreset.All.Count, EvaluationPreset.All.Select(p => p.Name).Distinct().Count());
        Assert.All(EvaluationPreset.All, p =>
        {
            Assert.NotEmpty(p.Published);
            Assert.All(p.Published, s => Assert.NotEmpty(s.Source));
            Assert.True(p.Measure == "judge" || Measures.Definitions.ContainsKey(p.Measure), p.Measure);
        });
    }
}
