namespace FlamingoSharp.Cli.Tests;

/// <summary>From class folders to a model that knows the classes, and what is said when something is wrong before the first step.</summary>
[Collection(WithTinyModel.Name)]
public sealed class TrainStageTests(TinyModel model)
{
    [Fact]
    public void A_folder_of_class_folders_becomes_a_model_that_knows_the_classes()
    {
        string folder = model.NewPath(), set = Path.Combine(folder, "set"), tuned = Path.Combine(folder, "tuned");
        foreach (var (label, kind) in new[] { ("hiss", 0), ("click", 1) })
        {
            for (int i = 0; i < 8; i++)
            {
                string path = Path.Combine(folder, "sounds", label, $"{i}.wav");
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                var random = new Random(100 * kind + i);
                WaveFile.Floats(path, [.. Enumerable.Range(0, 8000 + 400 * i).Select(n => kind == 0 || n % 900 < 9 ? (float)(random.NextDouble() - 0.5) : 0)]);
            }
        }
        var built = ProcessRunner.Run("data", "build", Path.Combine(folder, "sounds"), "--out", set);
        Assert.True(built.ExitCode == 0, built.Error);

        string[] train = ["train", "finetune", "--data", set, "--out", tuned, "--model", model.Folder, "--steps", "4", "--threads", "1"];
        var trained = ProcessRunner.Run([.. train, "data_config.views=2", "data_config.feature_cache=none"]);
        Assert.True(trained.ExitCode == 0, trained.Error);
        Assert.Contains("baseline: the most frequent label", trained.Output, StringComparison.Ordinal);
        Assert.Equal($"{tuned} is ready: flamingo classify FILE --model {tuned}", trained.Lines[^1]);
        Assert.Contains("  views: 2\n", trained.Error, StringComparison.Ordinal); // what holds is told, and kept
        Assert.Contains("  views: 2\n", File.ReadAllText(Path.Combine(tuned, "config.yaml")), StringComparison.Ordinal);

        string page = File.ReadAllText(Path.Combine(tuned, "report.html"));
        string[] wanted = ["<h2>Curves</h2>", "<h2>Results</h2>", "nearest class mean</th>", "<table class=\"confusion\">", "title=\"hiss answered as ", "<img alt=\"Spectrogram of "];
        Assert.All(wanted, w => Assert.Contains(w, page, StringComparison.Ordinal));

        var labelled = ProcessRunner.Run("classify", Path.Combine(folder, "sounds", "hiss", "0.wav"), "--model", tuned, "--show-prompt", "--max-tokens", "2");
        Assert.True(labelled.ExitCode == 0, labelled.Error);
        Assert.Contains("classify this sound.\noptions:\n - click.\n - hiss.\nanswer:", labelled.Error, StringComparison.Ordinal);

        var again = ProcessRunner.Run(train);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("add --resume to go on with it", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_is_said_before_anything_is_written()
    {
        string folder = model.NewPath();
        (int Code, string Error, string[] Arguments)[] lines =
        [
            (1, "There is nothing to train on: give --data SET, a folder made by 'flamingo data build', or a configuration with data_config.dataset_blending_config.", ["train", "pretrain"]),
            (1, "The configuration on the command line: there is no key 'train_config.epochs'; the nearest is 'train_config.num_epochs'.", ["train", "sft", "train_config.epochs=3"]),
            (2, "There is no configuration 'nowhere.yaml'; check the path.", ["train", "chat", "--config", "nowhere.yaml"]),
            (2, "There is no data set 'nowhere'; check the path, or make it with 'flamingo data build'.", ["train", "finetune", "--data", "nowhere"]),
        ];
        foreach (var (code, error, arguments) in lines)
        {
            var outcome = ProcessRunner.Run([.. arguments, "--out", folder, "--model", model.Folder]);
            Assert.Equal((code, "", $"error: {error}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
        }
        Assert.False(Path.Exists(folder));
    }
}
