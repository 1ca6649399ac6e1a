using FlamingoSharp.Text;

namespace FlamingoSharp.Training.DataSets.Sources.Layouts;

/// <summary>Data sets of captions.</summary>
internal static class CaptionLayouts
{
    public static IReadOnlyList<Layout> All { get; } =
    [
        Of("clotho-v2", "Clotho-v2", "clotho_captions_development.csv, _validation.csv and _evaluation.csv, with development, validation and evaluation", TaskPrompts.Caption, Clotho),
        Of("audiocaps", "AudioCaps", "train.csv, val.csv and test.csv, with audio/SPLIT/YOUTUBE_ID.wav (or audio/YOUTUBE_ID.wav, with _START, or by audiocap_id)", TaskPrompts.Caption, AudioCaps),
        Of("musiccaps", "MusicCaps", "musiccaps-public.csv, with audio/YTID.wav of ten seconds each; AudioSet's evaluation part is the test", TaskPrompts.MusicCaption, MusicCaps),
    ];

    private static Layout Of(
        string name, string set, string folder, TaskPrompt prompt, Func<LayoutFolder, IEnumerable<(string Path, string Split, IReadOnlyList<string> Captions)>> read) =>
        new(name, set, folder, root =>
        {
            var task = new DataSetTask($"{set}-AudioCaptioning", TaskKind.Captioning) { Question = prompt.Prompt };
            return new([task], [.. read(root).SelectMany(s => s.Captions.Select(caption => new SourceExample(
                task.Name, s.Split, TaskWording.Captioned(s.Path, caption, s.Captions, prompt.Prompt))))]);
        });

    private static IEnumerable<(string, string, IReadOnlyList<string>)> Clotho(LayoutFolder root)
    {
        (string Part, string Split)[] parts = [("development", SplitAssignment.Train), ("validation", SplitAssignment.Validation), ("evaluation", SplitAssignment.Test)];
        foreach (var (path, split) in root.Splits([.. parts.Select(p => (new[] { $"clotho_captions_{p.Part}.csv" }, p.Split))]))
        {
            string part = parts.First(p => p.Split == split).Part;
            foreach (var row in Table.Read(path))
            {
                string file = row.Text("file_name");
                string[] captions = [.. Enumerable.Range(1, 5).Select(i => row.Text($"caption_{i}").Trim())];
                yield return (root.Sound($"{part}/{file}", $"clotho_audio_{part}/{part}/{file}", $"clotho_audio_{part}/{file}", $"clotho_audio_files/{part}/{file}"), split, captions);
            }
        }
    }

    private static IEnumerable<(string, string, IReadOnlyList<string>)> AudioCaps(LayoutFolder root)
    {
        foreach (var (path, split) in root.Splits(
            (["train.csv", "dataset/train.csv"], SplitAssignment.Train), (["val.csv", "dataset/val.csv"], SplitAssignment.Validation), (["test.csv", "dataset/test.csv"], SplitAssignment.Test)))
        {
            foreach (var clip in Table.Read(path).GroupBy(r => (Id: r.Text("youtube_id"), Start: r.Text("start_time"))))
            {
                string[] stems = [clip.Key.Id, $"{clip.Key.Id}_{clip.Key.Start}", $"Y{clip.Key.Id}", .. clip.Select(r => r.Text("audiocap_id"))];
                string[] folders = [$"audio/{split}", split, "audio", "."];
                string[] names = [.. folders.SelectMany(f => stems.SelectMany(s => new[] { ".wav", ".flac", ".mp3" }.Select(e => $"{f}/{s}{e}")))];
                yield return (root.Sound(names), split, [.. clip.Select(r => r.Text("caption").Trim())]);
            }
        }
    }

    private static IEnumerable<(string, string, IReadOnlyList<string>)> MusicCaps(LayoutFolder root)
    {
        foreach (var row in Table.Read(root.Need("musiccaps-public.csv")))
        {
            string id = row.Text("ytid"), cut = $"[{id}]-[{row.Text("start_s")}-{row.Text("end_s")}]";
            string[] names = [.. new[] { "audio", "wav", "." }.SelectMany(f => new[] { id, cut }.SelectMany(s => new[] { ".wav", ".flac", ".mp3" }.Select(e => $"{f}/{s}{e}")))];
            bool isTest = row.Text("is_audioset_eval").Equals("true", StringComparison.OrdinalIgnoreCase);
            yield return (root.Sound(names), isTest ? SplitAssignment.Test : SplitAssignment.Train, [row.Text("caption").Trim()]);
        }
    }
}
