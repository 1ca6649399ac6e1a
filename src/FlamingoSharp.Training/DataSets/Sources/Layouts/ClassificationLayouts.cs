using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets.Sources.Layouts;

/// <summary>Data sets with one label for each sound. Questions and lists of labels are those of the reference.</summary>
internal static class ClassificationLayouts
{
    /// <summary>A sound with its label.</summary>
    /// <param name="Path">The file.</param>
    /// <param name="Label">As the reference writes it.</param>
    /// <param name="Split">Empty where the data set has no splits of its own.</param>
    /// <param name="Group">Speaker, where a data set without splits has several sounds of one.</param>
    private sealed record Labelled(string Path, string Label, string Split = "", string Group = "");

    private static readonly string[] s_actedEmotions = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgusted", "surprised"]; // RAVDESS, from 01 on

    private static readonly Dictionary<string, string> s_emotionCodes = new()
    {
        ["ANG"] = "angry",
        ["DIS"] = "disgusted",
        ["FEA"] = "fearful",
        ["HAP"] = "happy",
        ["NEU"] = "neutral",
        ["SAD"] = "sad",
    };

    public static IReadOnlyList<Layout> All { get; } =
    [
        Of("urbansound8k", "UrbanSound8K", "EventClassification", "metadata/UrbanSound8K.csv, audio/fold1 to fold10; fold 10 is the test, fold 9 validation", UrbanSound8K),
        Of("esc-50", "ESC-50", "EventClassification", "meta/esc50.csv, audio; fold 5 is the test, fold 4 validation", Esc50),
        Of("cochlscene", "CochlScene", "SceneClassification", "Train, Val and Test with a folder for each scene", CochlScene),
        Of("nonspeech7k", "NonSpeech7k", "EventClassification", "'metadata of train set .csv' with train, 'metadata of test set.csv' with test", NonSpeech7k),
        Of("gtzan", "GTZAN", "GenreClassification", "genres_original or genres, with a folder for each genre", Gtzan),
        Of("medley-solos-db", "Medley-solos-DB", "InstrClassification", "Medley-solos-DB_metadata.csv, audio or Medley-solos-DB", MedleySolos),
        Of("crema-d", "CREMA-D", "EmotionClassification", "AudioWAV; split by speakers", CremaD),
        Of("ravdess", "ravdess", "EmotionClassification", "Actor_01 to Actor_24, speech; split by speakers", Ravdess),
    ];

    private static Layout Of(string name, string set, string task, string folder, Func<LayoutFolder, IEnumerable<Labelled>> read) => new(name, set, folder, root =>
    {
        Labelled[] sounds = [.. read(root)];
        var wording = TaskOf($"{set}-{task}", sounds.Select(s => s.Label));
        string prompt = TaskWording.PromptOf(wording);
        return new([wording], [.. sounds.Select(s => new SourceExample(wording.Name, s.Split, TaskWording.Labelled(wording, prompt, s.Path, s.Label))
        {
            Stratum = s.Group.Length > 0 ? "" : s.Label,
            Group = s.Group,
        })]);
    });

    /// <summary>A classification task with the reference's question and labels; those that are found besides are added.</summary>
    public static DataSetTask TaskOf(string name, IEnumerable<string> found)
    {
        var entry = Wordings.Find(Wordings.Table.SingleLabel, name);
        var rule = Wordings.Table.SingleLabelQuestions.LastOrDefault(r => name.Contains(r.Contains, StringComparison.Ordinal));
        return TaskWording.Classification(name, (entry?.List ?? []).Concat(found), entry?.Question ?? rule?.Question ?? TaskWording.Classify);
    }

    private static IEnumerable<Labelled> UrbanSound8K(LayoutFolder root) =>
        Table.Read(root.Need("metadata/UrbanSound8K.csv", "UrbanSound8K.csv")).Select(r => new Labelled(
            root.Sound($"audio/fold{r.Text("fold")}/{r.Text("slice_file_name")}"), TaskWording.LabelOf(r.Text("class")),
            r.Text("fold") switch { "10" => SplitAssignment.Test, "9" => SplitAssignment.Validation, _ => SplitAssignment.Train }));

    private static IEnumerable<Labelled> Esc50(LayoutFolder root) =>
        Table.Read(root.Need("meta/esc50.csv")).Select(r => new Labelled(
            root.Sound($"audio/{r.Text("filename")}"), TaskWording.LabelOf(r.Text("category")),
            r.Text("fold") switch { "5" => SplitAssignment.Test, "4" => SplitAssignment.Validation, _ => SplitAssignment.Train }));

    private static IEnumerable<Labelled> CochlScene(LayoutFolder root) =>
        root.Splits((["Train"], SplitAssignment.Train), (["Val"], SplitAssignment.Validation), (["Test"], SplitAssignment.Test))
            .SelectMany(s => InClassFolders(s.Path, s.Split));

    // The two tables spell their columns differently, and one class once wrongly.
    private static IEnumerable<Labelled> NonSpeech7k(LayoutFolder root) =>
        from split in root.Splits((["metadata of train set .csv", "metadata of train set.csv"], SplitAssignment.Train), (["metadata of test set.csv", "metadata of test set .csv"], SplitAssignment.Test))
        from row in Table.Read(split.Path)
        let label = row.Text("Classname").Trim().ToLowerInvariant()
        let file = row.Text("Filename").Trim()
        select new Labelled(root.Sound($"{split.Split}/{file}", $"{split.Split}/{file}.wav"), label == "yawm" ? "yawn" : label, split.Split);

    private static IEnumerable<Labelled> Gtzan(LayoutFolder root) => InClassFolders(root.Need("genres_original", "genres", "Data/genres_original"), "");

    private static IEnumerable<Labelled> MedleySolos(LayoutFolder root) =>
        Table.Read(root.Need("Medley-solos-DB_metadata.csv", "annotation/Medley-solos-DB_metadata.csv")).Select(r =>
        {
            string file = $"Medley-solos-DB_{r.Text("subset")}-{r.Text("instrument_id")}_{r.Text("uuid4")}.wav";
            return new Labelled(root.Sound($"audio/{file}", $"Medley-solos-DB/{file}", file), r.Text("instrument").Trim().ToLowerInvariant(), r.Text("subset") switch
            {
                "training" => SplitAssignment.Train,
                "validation" => SplitAssignment.Validation,
                "test" => SplitAssignment.Test,
                var other => throw r.Wrong("subset", $"is '{other}'; expected training, validation or test"),
            });
        });

    private static IEnumerable<Labelled> CremaD(LayoutFolder root)
    {
        foreach (string path in SoundNames.Below(root.Need("AudioWAV")))
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('_'); // speaker_sentence_emotion_level
            if (parts.Length == 4 && s_emotionCodes.TryGetValue(parts[2], out string? emotion))
                yield return new(path, emotion, Group: parts[0]);
            else
                root.Leave(path, "is not named as CREMA-D names its files");
        }
    }

    private static IEnumerable<Labelled> Ravdess(LayoutFolder root)
    {
        foreach (string path in root.Sounds())
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('-'); // modality-channel-emotion-intensity-statement-repetition-actor
            if (parts.Length != 7 || !int.TryParse(parts[2], out int emotion) || emotion < 1 || emotion > s_actedEmotions.Length)
                root.Leave(path, "is not named as RAVDESS names its files");
            else if (parts[1] != "01")
                root.Leave(path, "is sung; speech is asked about");
            else
                yield return new(path, s_actedEmotions[emotion - 1], Group: parts[6]);
        }
    }

    private static IEnumerable<Labelled> InClassFolders(string folder, string split) =>
        LayoutFolder.FoldersIn(folder).SelectMany(c => SoundNames.Below(c).Select(path => new Labelled(path, Path.GetFileName(c).ToLowerInvariant(), split)));
}
