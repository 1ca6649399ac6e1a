using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.DataSets;

namespace FlamingoSharp.Training.Tests.DataSets;

/// <summary>Tiny folders laid out as the published data sets unpack: names of files and columns are theirs, the sounds are tones.</summary>
public sealed class LayoutTests : IDisposable
{
    private readonly SetFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private sealed record Item(string Split, string Sound, string Prompt, string Output)
    {
        public Example Example { get; init; } = new() { Name = "" };
    }

    private BuiltDataSet Build(string layout) => BuildDataSet.FromLayout(
        layout, _folder.Root, new() { OutputFolder = Path.Combine(Path.GetTempPath(), Path.GetFileName(_folder.Root) + "-out") }, cancellation: TestContext.Current.CancellationToken);

    private Item[] ItemsOf(BuiltDataSet built, string task)
    {
        Item[] items = [.. built.Set.Manifests.Where(m => m.Task == task).SelectMany(m => built.Set.Read(m).Items.Select(i => i.Value.Examples[0]).Select(e =>
            new Item(m.Split, Path.GetRelativePath(_folder.Root, e.Name), e.Prompt, e.Output) { Example = e }))];
        Assert.NotEmpty(items);
        return items;
    }

    private static (string, string, string)[] Short(Item[] items) => [.. items.Select(i => (i.Split, i.Sound, i.Output))];

    private void Read(string layout, Action<BuiltDataSet> check)
    {
        var built = Build(layout);
        try
        {
            check(built);
        }
        finally
        {
            Directory.Delete(built.Set.Folder, recursive: true);
        }
    }

    [Fact]
    public void Clotho_has_five_captions_a_sound()
    {
        _folder.Tones("development/Dog barking.wav", "validation/v.wav", "evaluation/Rain, soft.wav");
        foreach (var (part, file) in new[] { ("development", "Dog barking.wav"), ("validation", "v.wav"), ("evaluation", "\"Rain, soft.wav\"") })
            _folder.Text($"clotho_captions_{part}.csv", $"file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n{file},\"One, two.\",B.,C.,D.,E.\n");
        Read("clotho-v2", built =>
        {
            var items = ItemsOf(built, "Clotho-v2-AudioCaptioning");
            Assert.Equal(
                [("train", "development/Dog barking.wav", "One, two."), ("train", "development/Dog barking.wav", "B."), ("train", "development/Dog barking.wav", "C."), ("train", "development/Dog barking.wav", "D."), ("train", "development/Dog barking.wav", "E."),
                 ("val", "validation/v.wav", "One, two."), ("test", "evaluation/Rain, soft.wav", "One, two.")],
                Short(items));
            Assert.All(items, i => Assert.Equal("Describe the sound in a sentence.", i.Prompt));
            Assert.All(items, i => Assert.Equal(["One, two.", "B.", "C.", "D.", "E."], i.Example.References));
        });
    }

    [Fact]
    public void AudioCaps_joins_the_captions_of_a_clip()
    {
        _folder.Tones("audio/train/abc.wav", "audio/test/Xy-_z.wav");
        _folder.Text("train.csv", "audiocap_id,youtube_id,start_time,caption\n91139,abc,130,Food is frying\n");
        _folder.Text("test.csv", "audiocap_id,youtube_id,start_time,caption\n103549,Xy-_z,0,A man speaks\n103548,Xy-_z,0,\"Speech, then wind\"\n");
        Read("audiocaps", built =>
        {
            var items = ItemsOf(built, "AudioCaps-AudioCaptioning");
            Assert.Equal([("train", "audio/train/abc.wav", "Food is frying"), ("test", "audio/test/Xy-_z.wav", "A man speaks")], Short(items));
            Assert.Equal(["A man speaks", "Speech, then wind"], items[1].Example.References);
        });
    }

    [Fact]
    public void MusicCaps_asks_for_music()
    {
        _folder.Tones("audio/-0Gj8-vB1q4.wav", "audio/zz.wav");
        _folder.Text("musiccaps-public.csv", """
            ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption,author_id,is_balanced_subset,is_audioset_eval
            -0Gj8-vB1q4,30,40,"/m/0140xf,/m/02cjck","['low quality', 'ballad']","The low quality recording features a ballad song. Nice.",4,False,True
            zz,0,10,/m/04rlf,['x'],A drum.,4,False,False
            """);
        Read("musiccaps", built =>
        {
            var items = ItemsOf(built, "MusicCaps-AudioCaptioning");
            Assert.Equal([("train", "audio/zz.wav", "A drum."), ("test", "audio/-0Gj8-vB1q4.wav", "The low quality recording features a ballad song. Nice.")], Short(items));
            Assert.Equal("Describe the music in a paragraph.", items[0].Prompt);
        });
    }

    [Fact]
    public void ClothoAQA_has_its_unanimous_non_binary_and_numerical_questions_apart()
    {
        _folder.Tones("audio_files/a.wav", "audio_files/b.wav");
        _folder.Text("clotho_aqa_train.csv", "file_name,QuestionText,answer,confidence\na.wav,Is it loud?,yes,yes\na.wav,Is it loud?,no,maybe\na.wav,Is it loud?,yes,yes\n");
        _folder.Text("clotho_aqa_test.csv", """
            file_name,QuestionText,answer,confidence
            b.wav,Are dogs barking?,yes,yes
            b.wav,Are dogs barking?,yes,yes
            b.wav,Are dogs barking?,yes,maybe
            b.wav,"What barks, and where?",dog,yes
            b.wav,"What barks, and where?",wolf,yes
            b.wav,"What barks, and where?",dog,no
            b.wav,How many dogs?,two,yes
            b.wav,How many dogs?,3,yes
            b.wav,How many dogs?,3,yes
            """);
        Read("clotho-aqa", built =>
        {
            Assert.Equal([("train", "audio_files/a.wav", "yes"), ("train", "audio_files/a.wav", "no"), ("test", "audio_files/b.wav", "yes"), ("test", "audio_files/b.wav", "dog"), ("test", "audio_files/b.wav", "3")],
                Short(ItemsOf(built, "Clotho-AQA-AQA")));
            var unanimous = Assert.Single(ItemsOf(built, "Clotho-AQA-unanimous-AQA"));
            Assert.Equal(("Please answer this question: Are dogs barking?\nOPTIONS:\nyes.\nno.", "yes"), (unanimous.Prompt, unanimous.Output));
            Assert.Equal(["yes", "no"], unanimous.Example.Choices);
            Assert.Equal([("Please answer this question: What barks, and where?", "dog"), ("Please answer this question: How many dogs?", "3")],
                ItemsOf(built, "Clotho-AQA-non_binary-AQA").Select(i => (i.Prompt, i.Output)));
            Assert.Equal(["two", "3"], Assert.Single(ItemsOf(built, "Clotho-AQA-numerical-AQA")).Example.References);
            Assert.Equal("The task is audio question answering. ", TaskPrefix.Of("Clotho-AQA-non_binary-AQA/test"));
        });
    }

    [Fact]
    public void CochlScene_names_its_scenes_as_the_reference_does()
    {
        _folder.Tones("Train/Bus/Bus_user0001_1.wav", "Val/SubwayStation/SubwayStation_user0002_1.wav", "Test/CrowdedIndoor/CrowdedIndoor_user0003_1.wav");
        Read("cochlscene", built =>
        {
            var items = ItemsOf(built, "CochlScene-SceneClassification");
            Assert.Equal(["bus", "subwaystation", "crowdedindoor"], items.Select(i => i.Output));
            Assert.Equal(["train", "val", "test"], items.Select(i => i.Split));
            Assert.StartsWith("classify this sound.\nOPTIONS:\n - bus.\n - cafe.\n - car.\n - crowdedindoor.\n - elevator.", items[0].Prompt, StringComparison.Ordinal);
            Assert.Equal(13, items[0].Example.Choices.Count);
        });
    }

    [Fact]
    public void NonSpeech7k_is_read_in_spite_of_its_spellings()
    {
        _folder.Tones("train/7k_1.wav", "train/7k_2.wav", "test/7k_3.wav");
        _folder.Text("metadata of train set .csv", "Filename,File ID,Duration in ms,Class ID,Classname,augmentation  id,Augmentation  type,source,license\n7k_1.wav,1,4000,1,cough,0,Orignal,youtube,CC\n7k_2.wav,2,4000,6,yawm,0,Orignal,youtube,CC\n");
        _folder.Text("metadata of test set.csv", "Filename,File_ID,Durationin ms,Class_id,Classname,Augment Id,Augmentation type,Source,License\n7k_3.wav,3,4000,3,Laugh,0,Original,youtube,CC\n");
        Read("nonspeech7k", built =>
        {
            var items = ItemsOf(built, "NonSpeech7k-EventClassification");
            Assert.Equal([("train", "train/7k_1.wav", "cough"), ("train", "train/7k_2.wav", "yawn"), ("test", "test/7k_3.wav", "laugh")], Short(items));
            Assert.Equal(["breath", "cough", "crying", "laugh", "screaming", "sneeze", "yawn"], items[0].Example.Choices);
        });
    }

    [Fact]
    public void FSD50K_lists_labels_from_specific_to_general()
    {
        _folder.Tones("FSD50K.dev_audio/64760.wav", "FSD50K.dev_audio/7.wav", "FSD50K.eval_audio/37199.wav");
        _folder.Text("FSD50K.ground_truth/dev.csv", "fname,labels,mids,split\n64760,\"Electric_guitar,Guitar,Music\",\"/m/02sgy,/m/0342h,/m/04rlf\",train\n7,Bark,/m/05tny_,val\n");
        _folder.Text("FSD50K.ground_truth/eval.csv", "fname,labels,mids\n37199,\"Accelerating_and_revving_and_vroom,Engine\",\"/m/07q2z82,/m/02mk9\"\n");
        Read("fsd50k", built =>
        {
            var items = ItemsOf(built, "FSD50k-EventClassification");
            Assert.Equal([("train", "FSD50K.dev_audio/64760.wav", "Electric guitar, Guitar, Music"), ("val", "FSD50K.dev_audio/7.wav", "Bark"), ("test", "FSD50K.eval_audio/37199.wav", "Accelerating and revving and vroom, Engine")], Short(items));
            Assert.All(items, i => Assert.Equal("describe this sound in the order from specific to general.", i.Prompt));
            Assert.Equal(["Electric guitar", "Guitar", "Music"], items[0].Example.Labels);
        });
    }

    [Fact]
    public void NSynth_has_instrument_source_and_qualities()
    {
        foreach (string part in new[] { "train", "valid", "test" })
        {
            string note = $"bass_synthetic_033-022-050-{part}";
            _folder.Tones($"nsynth-{part}/audio/{note}.wav");
            _folder.Text($"nsynth-{part}/examples.json", $$$"""
                {"{{{note}}}":{"note":201034,"sample_rate":16000,"instrument_family":9,"instrument_family_str":"synth_lead","qualities":[0,1],"qualities_str":["dark","fast_decay"],
                 "instrument_source":2,"instrument_source_str":"synthetic","pitch":22,"velocity":50,"instrument_str":"bass_synthetic_033","note_str":"{{{note}}}"},
                 "plain-{{{part}}}":{"instrument_family_str":"bass","qualities_str":[],"instrument_source_str":"acoustic"}}
                """);
            _folder.Tones($"nsynth-{part}/audio/plain-{part}.wav");
        }
        Read("nsynth", built =>
        {
            var families = ItemsOf(built, "NSynth-InstrClassification");
            Assert.Equal(["synth_lead", "bass"], families.Where(i => i.Split == "val").Select(i => i.Output));
            Assert.StartsWith("what is the instrument of this music?\nOPTIONS:\n - bass.\n - brass.", families[0].Prompt, StringComparison.Ordinal);
            Assert.Equal(["acoustic", "electronic", "synthetic"], ItemsOf(built, "NSynth-SourceClassification")[0].Example.Choices);
            Assert.Equal([("train", "dark, fast decay"), ("val", "dark, fast decay"), ("test", "dark, fast decay")], ItemsOf(built, "NSynth-QualityClassification").Select(i => (i.Split, i.Output)));
            Assert.All(ItemsOf(built, "NSynth-QualityClassification"), i => Assert.Equal("what are the qualities of the music?", i.Prompt));
        });
    }

    [Fact]
    public void UrbanSound8K_is_split_by_folds()
    {
        _folder.Tones("audio/fold1/a.wav", "audio/fold9/b.wav", "audio/fold10/c.wav");
        _folder.Text("metadata/UrbanSound8K.csv", "slice_file_name,fsID,start,end,salience,fold,classID,class\na.wav,1,0,4,1,1,3,dog_bark\nb.wav,2,0,4,1,9,1,car_horn\nc.wav,3,0,4,1,10,0,air_conditioner\n");
        Read("urbansound8k", built =>
        {
            var items = ItemsOf(built, "UrbanSound8K-EventClassification");
            Assert.Equal([("train", "audio/fold1/a.wav", "dog bark"), ("val", "audio/fold9/b.wav", "car horn"), ("test", "audio/fold10/c.wav", "air conditioner")], Short(items));
            Assert.Equal(10, items[0].Example.Choices.Count);
        });
    }

    [Fact]
    public void ESC_50_is_split_by_folds()
    {
        _folder.Tones("audio/1-100032-A-0.wav", "audio/5-1-A-41.wav");
        _folder.Text("meta/esc50.csv", "filename,fold,target,category,esc10,src_file,take\n1-100032-A-0.wav,1,0,dog,True,100032,A\n5-1-A-41.wav,5,41,chainsaw,False,1,A\n");
        Read("esc-50", built => Assert.Equal([("train", "audio/1-100032-A-0.wav", "dog"), ("test", "audio/5-1-A-41.wav", "chainsaw")], Short(ItemsOf(built, "ESC-50-EventClassification"))));
    }

    [Fact]
    public void GTZAN_is_dealt_out_by_content()
    {
        _folder.Tones(new[] { "jazz", "metal" }.SelectMany(g => Enumerable.Range(0, 5).Select(i => $"genres_original/{g}/{g}.{i:00000}.wav")));
        Read("gtzan", built =>
        {
            var items = ItemsOf(built, "GTZAN-GenreClassification");
            Assert.Equal([("jazz", "test", 1), ("jazz", "train", 3), ("jazz", "val", 1), ("metal", "test", 1), ("metal", "train", 3), ("metal", "val", 1)],
                items.CountBy(i => (i.Output, i.Split)).Select(c => (c.Key.Output, c.Key.Split, c.Value)).Order());
            Assert.StartsWith("what is the genre of this music?\nOPTIONS:\n - blues.\n - classical.", items[0].Prompt, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Medley_solos_DB_finds_its_files_by_subset_instrument_and_id()
    {
        const string Id = "0e4371ac-1c6a-51ab-fdb7-f8abd5fbf1a3";
        _folder.Tones($"audio/Medley-solos-DB_training-0_{Id}.wav", $"audio/Medley-solos-DB_test-2_{Id}.wav");
        _folder.Text("Medley-solos-DB_metadata.csv", $"subset,instrument,instrument_id,song_id,uuid4\ntraining,clarinet,0,0,{Id}\ntest,female singer,2,9,{Id}\n");
        Read("medley-solos-db", built =>
        {
            var items = ItemsOf(built, "Medley-solos-DB-InstrClassification");
            Assert.Equal([("train", $"audio/Medley-solos-DB_training-0_{Id}.wav", "clarinet"), ("test", $"audio/Medley-solos-DB_test-2_{Id}.wav", "female singer")], Short(items));
            Assert.StartsWith("what is the instrument of this music?\nOPTIONS:\n - clarinet.\n - distorted electric guitar.", items[0].Prompt, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void CREMA_D_keeps_speakers_in_one_split()
    {
        string[] emotions = ["ANG", "DIS", "FEA", "HAP", "NEU", "SAD"];
        _folder.Tones(Enumerable.Range(1001, 7).SelectMany(actor => emotions.Select(e => $"AudioWAV/{actor}_IEO_{e}_HI.wav")));
        Read("crema-d", built =>
        {
            var items = ItemsOf(built, "CREMA-D-EmotionClassification");
            Assert.Equal(42, items.Length);
            Assert.Equal("angry", items.First(i => i.Sound.Contains("_ANG_", StringComparison.Ordinal)).Output);
            Assert.Equal(["test", "train", "val"], items.Select(i => i.Split).Distinct().Order());
            Assert.All(items.GroupBy(i => Path.GetFileName(i.Sound)[..4]), speaker => Assert.Single(speaker.Select(i => i.Split).Distinct()));
            Assert.Equal("what is the emotion of this speech?\nOPTIONS:\n - angry.\n - disgusted.\n - fearful.\n - happy.\n - neutral.\n - sad.", items[0].Prompt);
        });
    }

    [Fact]
    public void RAVDESS_takes_speech_and_leaves_songs()
    {
        _folder.Tones(Enumerable.Range(1, 8).Select(e => $"Actor_{e:00}/03-01-{e:00}-01-01-01-{e:00}.wav").Append("Actor_01/03-02-03-01-01-01-01.wav"));
        Read("ravdess", built =>
        {
            var items = ItemsOf(built, "ravdess-EmotionClassification");
            Assert.Equal(["neutral", "calm", "happy", "sad", "angry", "fearful", "disgusted", "surprised"], items.OrderBy(i => i.Sound, StringComparer.Ordinal).Select(i => i.Output));
            Assert.Equal("is sung; speech is asked about", Assert.Single(built.LeftOut).Reason);
        });
    }

    [Fact]
    public void MUSIC_AVQA_takes_questions_about_what_is_heard()
    {
        _folder.Tones("audio/00000093.wav");
        _folder.Text("json/avqa-test.json", """
            [{"video_id":"00000093","question_id":272,"type":"[\"Audio\", \"Comparative\"]","question_content":"Is the <Object> louder than the <Object>?","templ_values":"[\"clarinet\", \"acoustic_guitar\"]","question_deleted":0,"anser":"yes"},
             {"video_id":"00000093","question_id":273,"type":"[\"Audio\", \"Counting\"]","question_content":"How many musical instruments were heard throughout the video?","templ_values":"[]","question_deleted":0,"anser":"two"},
             {"video_id":"00000093","question_id":274,"type":"[\"Visual\", \"Counting\"]","question_content":"Is there a <Object> in the entire video?","templ_values":"[\"piano\"]","question_deleted":0,"anser":"no"}]
            """);
        Read("music-avqa", built =>
        {
            var items = ItemsOf(built, "Music-AVQA-AQA_All");
            Assert.Equal(
                [("Please answer this question: Is the clarinet louder than the acoustic_guitar?\nOPTIONS:\nyes.\nno.", "yes", "comparative"), ("Please answer this question: How many musical instruments were heard throughout the video?", "two", "counting")],
                items.Select(i => (i.Prompt, i.Output, i.Example.Type)));
            Assert.Equal(("1 questions", "are about what is seen"), (Assert.Single(built.LeftOut).What, built.LeftOut[0].Reason));
        });
    }

    [Fact]
    public void MMAU_asks_with_its_choices()
    {
        _folder.Tones("test-mini-audios/3fe64f3d-282c-4bc8-a753-68f8f6c35652.wav");
        _folder.Text("mmau-test-mini.json", """
            [{"id":"3fe64f3d-282c-4bc8-a753-68f8f6c35652","audio_id":"./test-mini-audios/3fe64f3d-282c-4bc8-a753-68f8f6c35652.wav",
              "question":"Based on the given audio, identify the source of the speaking voice.","choices":["Man","Woman","Child","Robot"],"answer":"Man",
              "dataset":"AudioSet","task":"sound","split":"test-mini","category":"Reasoning","sub-category":"Acoustic Source Inference","difficulty":"medium"}]
            """);
        Read("mmau", built =>
        {
            var item = Assert.Single(ItemsOf(built, "MMAU-AQA"));
            Assert.Equal(("test", "Man", "sound"), (item.Split, item.Output, item.Example.Type));
            Assert.Equal("Please answer this question: Based on the given audio, identify the source of the speaking voice.\nOPTIONS:\nMan.\nWoman.\nChild.\nRobot.", item.Prompt);
            Assert.Equal(["Man", "Woman", "Child", "Robot"], item.Example.Choices);
        });
    }

    [Fact]
    public void Every_layout_of_the_papers_tables_is_there() => Assert.Equal(
        ["audiocaps", "clotho-aqa", "clotho-v2", "cochlscene", "crema-d", "esc-50", "fsd50k", "gtzan", "medley-solos-db", "mmau", "music-avqa", "musiccaps", "nonspeech7k", "nsynth", "ravdess", "urbansound8k"],
        BuildDataSet.Layouts.Select(l => l.Name));

    [Fact]
    public void A_folder_of_another_layout_is_refused()
    {
        var e = Assert.Throws<FlamingoException>(() => Build("urbansound8k"));
        Assert.Equal($"'{_folder.Root}' does not have the layout urbansound8k: there is no 'metadata/UrbanSound8K.csv' or 'UrbanSound8K.csv'. Name the folder that holds it.", e.Message);
    }

    [Fact]
    public void A_sound_that_was_not_downloaded_is_a_fault_and_no_more()
    {
        _folder.Tones("audio/1.wav");
        _folder.Text("meta/esc50.csv", "filename,fold,target,category\n1.wav,1,0,dog\n2.wav,1,0,dog\n");
        Read("esc-50", built => Assert.Equal(new LeftOut(_folder.PathOf("audio/2.wav"), "does not exist", true), Assert.Single(built.LeftOut)));
    }

    [Fact]
    public void An_unknown_layout_names_those_that_there_are() => Assert.StartsWith(
        "There is no layout 'clotho'; there are audiocaps, clotho-aqa, clotho-v2,",
        Assert.Throws<FlamingoException>(() => Build("clotho")).Message, StringComparison.Ordinal);
}
