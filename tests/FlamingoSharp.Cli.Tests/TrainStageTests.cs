using FlamingoSharp.Models;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Cli.Tests;

/// <summary>From class folders to a model that knows the classes, and what is said when something is wrong before the first step.</summary>
[Collection(WithTinyModel.Name)]
public sealed class TrainStageTests(TinyModel model)
{
    [Fact]
    public void A_folder_of_class_folders_becomes_a_model_that_knows_the_classes()
    {
        string folder = model.NewPath(), set = Path.Combine(folder, "set"), tuned = Path.Combine(folder, "tuned");
        Build(folder, set);
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
    public void A_data_set_becomes_a_CLAP_model_and_bare_parts_a_model_that_hears()
    {
        string folder = model.NewPath(), set = Path.Combine(folder, "set"), clap = Path.Combine(folder, "clap"), hearing = Path.Combine(folder, "hearing");
        Build(folder, set);
        string hiss = Path.Combine(folder, "sounds", "hiss", "0.wav");

        var learned = ProcessRunner.Run(
            "train", "clap", "--data", set, "--config", Path.Combine(model.Folder, "config.json"), "--tokenizer", model.Folder, "--out", clap, "--batch", "4",
            "--steps", "3", "--threads", "1", "--feature-cache", Path.Combine(folder, "cache"));
        Assert.True(learned.ExitCode == 0, learned.Error);
        Assert.Matches(" sound to text R@1 [01]\\.\\d+ .* zero-shot [01]\\.\\d+ ", learned.Error);
        Assert.Matches(": 3 steps.* samples/s, .* % waiting for data; in all \\d+ s: .* % computing, .* % waiting for data, .* % validation, .* % writing\n", learned.Error);
        Assert.True(Directory.Exists(Path.Combine(folder, "cache")));
        var named = ProcessRunner.Run("classify", hiss, "--zero-shot", "--model", clap, "--labels", "hiss,click");
        Assert.True(named.ExitCode == 0, named.Error);
        Assert.Matches("^(hiss|click) \\(\\d+ %\\)$", named.Lines[^1]);

        using var parts = new TinyParts(FlamingoConfig.Tiny, rows: 4110);
        string[] train = ["train", "pretrain", "--language-model", parts.LanguageModel, "--encoder", parts.Encoder, "--preset", "tiny", "--data", set, "--out", hearing];
        var trained = ProcessRunner.Run([.. train, "--steps", "3", "--threads", "1", "data_config.feature_cache=none"]);
        Assert.True(trained.ExitCode == 0, trained.Error);
        Assert.Contains($"  lang_encoder_path: {parts.LanguageModel}\n", File.ReadAllText(Path.Combine(hearing, "config.yaml")), StringComparison.Ordinal);
        var caption = ProcessRunner.Run("caption", hiss, "--model", hearing, "--max-tokens", "2");
        Assert.True(caption.ExitCode == 0, caption.Error);

        var further = ProcessRunner.Run([.. train, "--steps", "4", "--resume", "--threads", "2", "data_config.feature_cache=none"]);
        Assert.True(further.ExitCode == 0, further.Error);
        Assert.Contains("warning: the run has computed with 1 thread and goes on with 2, so that losses may differ in their last bits.\n", further.Error, StringComparison.Ordinal);
        Assert.Contains(": 4 steps", further.Error, StringComparison.Ordinal);
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
            (1, "Start from a whole model by --model, or make a new one by --language-model and --encoder, not both. See 'flamingo train pretrain --help'.", ["train", "pretrain", "--language-model", "opt"]),
            (1, "A new model is made of a language model and a sound encoder: give both --language-model and --encoder. See 'flamingo train pretrain --help'.", ["train", "pretrain", "--encoder", "clap.pt", "--out", folder]),
            (2, "There is no data set 'nowhere'; check the path, or make it with 'flamingo data build'.", ["train", "finetune", "--data", "nowhere"]),
        ];
        foreach (var (code, error, arguments) in lines)
        {
            var outcome = ProcessRunner.Run(arguments.Contains("--out") ? arguments : [.. arguments, "--out", folder, "--model", model.Folder]);
            Assert.Equal((code, "", $"error: {error}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
        }
        Assert.False(Path.Exists(folder));
    }

    private static void Build(string folder, string set)
    {
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
    }
}
