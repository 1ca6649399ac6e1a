using System.Text.Json;
using System.Text.RegularExpressions;
using FlamingoSharp.Text;

namespace FlamingoSharp.Training.DataSets.Sources.Layouts;

/// <summary>Data sets of questions and answers.</summary>
internal static partial class QuestionLayouts
{
    private static readonly HashSet<string> s_numbers =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"];

    public static IReadOnlyList<Layout> All { get; } =
    [
        new("clotho-aqa", "Clotho-AQA", "clotho_aqa_train.csv, clotho_aqa_val.csv and clotho_aqa_test.csv, audio_files", ClothoAqa),
        new("music-avqa", "Music-AVQA", "avqa-train.json, avqa-val.json and avqa-test.json (or in json), with videos or audio by video_id; questions about what is heard", MusicAvqa),
        new("mmau", "MMAU", "mmau-test-mini.json, test-mini-audios", Mmau),
    ];

    // Each question was answered by three people.
    private static LayoutContent ClothoAqa(LayoutFolder root)
    {
        DataSetTask all = Task("Clotho-AQA-AQA"), unanimous = Task("Clotho-AQA-unanimous-AQA"), nonBinary = Task("Clotho-AQA-non_binary-AQA"), numerical = Task("Clotho-AQA-numerical-AQA");
        List<SourceExample> examples = [];
        foreach (var (path, split) in root.Splits(
            (["clotho_aqa_train.csv"], SplitAssignment.Train), (["clotho_aqa_val.csv"], SplitAssignment.Validation), (["clotho_aqa_test.csv"], SplitAssignment.Test)))
        {
            foreach (var asked in Table.Read(path).GroupBy(r => (File: r.Text("file_name"), Question: r.Text("QuestionText").Trim())))
            {
                string sound = root.Sound($"audio_files/{asked.Key.File}", asked.Key.File);
                string[] answers = [.. asked.Select(r => r.Text("answer").Trim().ToLowerInvariant())];
                string most = answers.CountBy(a => a).MaxBy(a => a.Value).Key; // the first of equals
                bool binary = answers.All(a => a is "yes" or "no");
                string[] distinct = [.. answers.Distinct(StringComparer.Ordinal)];

                void Add(DataSetTask task, string answer, string prompt, IReadOnlyList<string> choices) => examples.Add(new(task.Name, split, new()
                {
                    Name = sound,
                    Prompt = prompt,
                    Output = answer,
                    Choices = choices,
                    References = distinct,
                    Type = binary ? "binary" : answers.All(IsNumber) ? "numerical" : "open",
                }));

                string open = TaskPrompts.Question(asked.Key.Question).Prompt;
                foreach (string answer in split == SplitAssignment.Train ? distinct : [most])
                    Add(all, answer, open, []);
                if (binary && distinct.Length == 1 && answers.Length > 1)
                    Add(unanimous, most, TaskPrompts.YesOrNo(asked.Key.Question).Prompt, ["yes", "no"]);
                if (!binary)
                    Add(nonBinary, most, open, []);
                if (answers.All(IsNumber))
                    Add(numerical, most, open, []);
            }
        }
        return new([all, unanimous, nonBinary, numerical], examples);
    }

    private static LayoutContent MusicAvqa(LayoutFolder root)
    {
        var task = Task("Music-AVQA-AQA_All");
        List<SourceExample> examples = [];
        int seen = 0;
        foreach (var (path, split) in root.Splits(
            (["avqa-train.json", "json/avqa-train.json"], SplitAssignment.Train), (["avqa-val.json", "json/avqa-val.json"], SplitAssignment.Validation), (["avqa-test.json", "json/avqa-test.json"], SplitAssignment.Test)))
        {
            foreach (var item in LayoutFolder.Json(path).EnumerateArray())
            {
                string[] type = Texts(item.GetProperty("type"));
                if (type[0] != "Audio")
                {
                    seen++;
                    continue;
                }
                var values = new Queue<string>(Texts(item.GetProperty("templ_values")));
                string question = Slot().Replace(item.GetProperty("question_content").GetString()!, slot => values.TryDequeue(out string? value) ? value : slot.Value);
                string id = item.GetProperty("video_id").GetString()!, answer = item.GetProperty("anser").GetString()!; // spelled so
                string[] names = [.. new[] { "audio", "videos", "video", "MUCIS-AVQA-videos-Real", "MUSIC-AVQA-videos-Real", "." }.SelectMany(f => new[] { ".wav", ".mp3", ".mp4" }.Select(e => $"{f}/{id}{e}"))];
                examples.Add(new(task.Name, split, TaskWording.Asked(root.Sound(names), question, answer, [], type[1].ToLowerInvariant())));
            }
        }
        if (seen > 0)
            root.Leave($"{seen} questions", "are about what is seen");
        return new([task], examples);
    }

    private static LayoutContent Mmau(LayoutFolder root)
    {
        var task = Task("MMAU-AQA");
        List<SourceExample> examples = [];
        int unanswered = 0;
        foreach (var (path, _) in root.Splits((["mmau-test-mini.json"], "test-mini"), (["mmau-test.json"], "test")))
        {
            foreach (var item in LayoutFolder.Json(path).EnumerateArray())
            {
                if (!item.TryGetProperty("answer", out var answer) || answer.GetString() is not { Length: > 0 } right)
                {
                    unanswered++;
                    continue;
                }
                string file = Path.GetFileName(item.GetProperty("audio_id").GetString()!), folder = item.GetProperty("split").GetString()! + "-audios";
                examples.Add(new(task.Name, SplitAssignment.Test, TaskWording.Asked(
                    root.Sound($"{folder}/{file}", file), item.GetProperty("question").GetString()!, right,
                    [.. item.GetProperty("choices").EnumerateArray().Select(c => c.GetString()!)], item.GetProperty("task").GetString()!)));
            }
        }
        if (unanswered > 0)
            root.Leave($"{unanswered} questions", "come without their answers, which only the benchmark's server has");
        return new([task], examples);
    }

    private static DataSetTask Task(string name) => new(name, TaskKind.Questions);

    private static bool IsNumber(string answer) => answer.All(char.IsAsciiDigit) || s_numbers.Contains(answer);

    // A list that was written as text: "[\"Audio\", \"Counting\"]".
    private static string[] Texts(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
            return [.. value.EnumerateArray().Select(t => t.GetString()!)];
        using var inner = JsonDocument.Parse(value.GetString()!);
        return [.. inner.RootElement.EnumerateArray().Select(t => t.GetString()!)];
    }

    [GeneratedRegex(@"<\w+>")]
    private static partial Regex Slot();
}
