using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.DataSets.Sources;

/// <summary>
/// A catalogue of recorded clips, recipes for made sounds, and written questions: the files that flamingo-mini is made from, and others of
/// their form. Clips stay where they are; recipes are rendered into the data set. Texts are those that flamingo-mini is trained on.
/// </summary>
internal sealed class CatalogueFiles(CatalogueFilesOptions options) : IDataSource
{
    // The longest that any model hears of a made sound; recipes are 15 s at most.
    private const double MaxSeconds = 30;

    private static readonly TrainingTextOptions s_texts = new() { AnswerSuffix = "" }; // templates put it where it belongs

    public string Name => SetName.From(Path.GetFileNameWithoutExtension(options.Catalogue));

    public SourceContent Read(string name, string outFolder, Action<double> progress, CancellationToken cancellation)
    {
        List<LeftOut> leftOut = [];
        var catalogue = SoundCatalogue.Load(options.Catalogue, options.Synthesis, options.Questions, (what, reason) => leftOut.Add(new(what, reason, IsFault: false)));
        if (options.PermissiveOnly)
        {
            var all = catalogue;
            catalogue = SoundLicenses.PermissiveOf(all);
            leftOut.AddRange(all.Sounds.Select(s => (s.Id, Fault: SoundLicenses.Fault(s, all))).Where(s => s.Fault is not null)
                .Select(s => new LeftOut($"'{s.Id}'", s.Fault!, IsFault: false)));
        }
        var files = FilesOf(catalogue, outFolder, leftOut, progress, cancellation);
        DataSetTask[] tasks =
        [
            new($"{name}-AudioCaptioning", TaskKind.Captioning) { Question = TaskPrompts.Caption.Prompt },
            new($"{name}-EventClassification", TaskKind.Tagging) { Question = TaskPrompts.Tags.Prompt, Labels = LabelsOf(catalogue, files) },
            new($"{name}-AQA", TaskKind.Questions),
        ];
        return new()
        {
            Tasks = tasks,
            Examples = [.. Examples(catalogue, files, tasks)],
            LeftOut = leftOut,
            Attribution = SoundLicenses.Attribution([.. catalogue.Sounds.Where(s => files.ContainsKey(s.Id))], catalogue),
        };
    }

    private static IEnumerable<SourceExample> Examples(SoundCatalogue catalogue, Dictionary<string, string> files, DataSetTask[] tasks)
    {
        foreach (string split in catalogue.Sounds.Where(s => files.ContainsKey(s.Id)).Select(s => s.Split).Distinct(StringComparer.Ordinal))
        {
            foreach (var text in new TrainingTexts(catalogue, split, s => files.ContainsKey(s.Id), s_texts).All())
            {
                var sound = catalogue[text.Id];
                var task = text.Type switch { "caption" => tasks[0], "labels" => tasks[1], _ => tasks[2] };
                if (text.Answer.Length == 0)
                    continue; // a sound without plain labels has no list of them
                yield return new(task.Name, split, new Data.Example
                {
                    Name = files[text.Id],
                    Prompt = text.Prompt,
                    Output = text.Answer,
                    AudioStart = (sound as Clip)?.StartSeconds ?? 0,
                    AudioDuration = (sound as Clip)?.UseSeconds,
                    Type = task == tasks[2] ? text.Type : "",
                    Choices = text.Choices,
                    References = task == tasks[1] ? [] : [text.Answer],
                    Labels = [.. PlainLabels(sound), .. SpeakerOf(sound)],
                });
            }
        }
    }

    // The file of every sound that can be had.
    private Dictionary<string, string> FilesOf(
        SoundCatalogue catalogue, string outFolder, List<LeftOut> leftOut, Action<double> progress, CancellationToken cancellation)
    {
        string audio = Path.GetFullPath(options.AudioFolder);
        if (!Directory.Exists(audio))
            throw new FlamingoException(FlamingoErrorKind.Input, $"There is no folder '{options.AudioFolder}' with the clips of the catalogue; check the path.");
        Dictionary<string, string> files = [];
        foreach (var clip in catalogue.Clips)
            files.Add(clip.Id, Path.Combine(audio, clip.Package, clip.Path));

        var sink = new WaveFolder(Path.GetFullPath(Path.Combine(outFolder, "audio")), catalogue.Recipes);
        var failures = RenderSounds.Recipes(
            catalogue,
            new() { DataFolder = "", AudioFolder = audio, OutputFolder = outFolder, SampleRate = WaveFolder.Rate, MaxSeconds = MaxSeconds },
            sink, new Reports(progress), cancellation);
        leftOut.AddRange(failures.Select(f => new LeftOut($"the recipe '{f.Id}'", $"could not be rendered: {f.Reason.TrimEnd('.')}", IsFault: true)));
        foreach (var recipe in catalogue.Recipes.Where(r => sink.Has(r.Id)))
            files.Add(recipe.Id, sink.PathOf(recipe.Id));
        return files;
    }

    private static string[] LabelsOf(SoundCatalogue catalogue, Dictionary<string, string> files) =>
        [.. catalogue.Sounds.Where(s => files.ContainsKey(s.Id)).SelectMany(PlainLabels).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static string[] PlainLabels(LabelledSound sound) =>
        [.. sound.Labels.Where(l => !l.Contains(':', StringComparison.Ordinal)).Select(l => l.ToLowerInvariant())];

    // Evaluation scores speakers that training has not heard apart.
    private static IEnumerable<string> SpeakerOf(LabelledSound sound) => sound is Clip { Speaker: { Length: > 0 } speaker } ? [$"speaker:{speaker}"] : [];

    private sealed class Reports(Action<double> progress) : IProgress<SoundProgress>
    {
        public void Report(SoundProgress value) => progress((double)value.Done / Math.Max(1, value.Total));
    }
}
