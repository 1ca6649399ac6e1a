namespace FlamingoSharp.Cli.Tests;

/// <summary>Bad input: one clear sentence, its exit code, nothing on standard output, nothing written.</summary>
[Collection(WithTinyModel.Name)]
public sealed class ErrorTests(TinyModel model)
{
    public static TheoryData<int, string, string[]> BadLines => new()
    {
        { 2, "'missing.wav' does not exist; check the path.", ["caption", "missing.wav"] },
        { 2, "'*.ogg' does not exist; check the path.", ["caption", "*.ogg"] },
        { 2, "'empty.wav' is empty: 0 bytes.", ["caption", "empty.wav"] },
        { 2, "'text.wav' holds text (\"hello there\"), not sound; give a WAV, FLAC, Ogg, MP3 or another sound file.", ["caption", "text.wav"] },
        { 2, "'silent.wav' holds no audio: 0 samples.", ["caption", "silent.wav"] },
        { 2, "'nan.wav' holds a sample that is no finite number (NaN) at 0 s in channel 1; export the file again.", ["ask", "nan.wav", "What is it?"] },
        { 2, "'long.wav' is 20 s long, so nothing is left after a start at 30 s; choose an earlier start.", ["caption", "long.wav", "--start", "30"] },
        { 2, "The file of labels 'labels.txt' does not exist; check the path.", ["classify", "a.wav", "--labels-file", "labels.txt"] },
        { 1, "The label 'Rain' occurs twice; give each label once.", ["classify", "a.wav", "--labels", "rain,Rain"] },
        { 1, "Label 2 of 3 is empty; remove it or name it.", ["classify", "a.wav", "--labels", "rain,,car"] },
        { 1, "The model has no classes of its own: give the labels by --labels or by --labels-file.", ["classify", "a.wav"] },
        { 1, "Give the labels by --labels or by --labels-file. See 'flamingo classify --help'.", ["classify", "a.wav", "--labels", "a,b", "--labels-file", "labels.txt"] },
        { 1, "--beams has no effect where the likeliest of the given answers is taken; add --generate, or leave --beams out.", ["classify", "a.wav", "--labels", "rain,car", "--beams", "2"] },
        { 1, "--show-scores has no effect with --generate; leave it out.", ["ask", "a.wav", "Is it?", "--yes-no", "--generate", "--show-scores"] },
        { 1, "--show-scores has no effect with --multi; leave it out.", ["classify", "a.wav", "--labels", "rain,car", "--multi", "--show-scores"] },
        { 1, "--unlisted has no effect without --options or --yes-no; leave it out.", ["ask", "a.wav", "Is it?", "--unlisted"] },
        { 1, "There is no question about 'a.wav'. Give the file first, then the question in quotes.", ["ask", "a.wav"] },
        { 1, "The question is empty; ask something about the sound.", ["ask", "a.wav", " "] },
        { 1, "--top-k has no effect without --sample; add it, or leave --top-k out.", ["caption", "a.wav", "--top-k", "3"] },
        { 1, "--beams is 0; it must be at least 1. See 'flamingo caption --help'.", ["caption", "a.wav", "--beams", "0"] },
        { 1, "--beams is 2 and sampling is on, but beam search does not draw: choose one of the two.", ["caption", "a.wav", "--beams", "2", "--sample"] },
        { 1, "Cannot parse argument 'x' for option '--batch' as a whole number. See 'flamingo caption --help'.", ["caption", "a.wav", "--batch", "x"] },
        { 1, "There is no element type 'int3'. Use float32, bfloat16 or float16. See 'flamingo caption --help'.", ["caption", "a.wav", "--dtype", "int3"] },
        { 1, "There is no device 'tpu'. Use cpu, cuda or cuda:N.", ["caption", "a.wav", "--device", "tpu"] },
    };

    [Theory, MemberData(nameof(BadLines))]
    public void Bad_input_ends_in_one_sentence_and_its_exit_code(int code, string sentence, string[] arguments)
    {
        string[] before = Directory.GetFileSystemEntries(model.Sounds);
        var outcome = model.Run(arguments);
        Assert.Equal((code, "", $"error: {sentence}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
        Assert.Equal(before, Directory.GetFileSystemEntries(model.Sounds));
    }

    [Fact]
    public void An_unknown_model_folder_is_a_model_error()
    {
        var outcome = ProcessRunner.RunIn(model.Sounds, null, null, "caption", "a.wav", "--model", "nowhere");
        Assert.Equal((3, "", "error: nowhere: there is no such model folder.\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
    }

    [Fact]
    public void A_share_above_one_is_refused()
    {
        var outcome = ProcessRunner.RunIn(model.Sounds, null, null, "train", "language", "--data", "d", "--mels", "m", "--encoder", "e", "--out", "o", "--drowned", "1.5");
        Assert.Equal((1, "", "error: --drowned is 1.5; a share must lie between 0 and 1. See 'flamingo train language --help'.\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
    }

    [Fact]
    public void The_environment_names_the_model()
    {
        var outcome = ProcessRunner.RunIn(model.Sounds, null, new Dictionary<string, string> { ["FLAMINGO_MODEL"] = "elsewhere" }, "caption", "a.wav");
        Assert.Equal((3, "error: elsewhere: there is no such model folder.\n"), (outcome.ExitCode, outcome.Error));
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_said_once_for_all_files()
    {
        var outcome = model.Run("ask", "a.wav", "b.wav", string.Concat(Enumerable.Repeat("word ", 600)));
        Assert.Equal((1, ""), (outcome.ExitCode, outcome.Output));
        Assert.Matches(@"\Aerror: The prompt has \d+ tokens but this model has room for 512\. Shorten the question, or give fewer labels, examples or turns\.\n\z", outcome.Error);
    }

    [Theory]
    [InlineData("No verb was given. See 'flamingo --help'.")]
    [InlineData("There is no verb 'captoin'. See 'flamingo --help'.", "captoin")]
    [InlineData("There is no verb 'foo'. See 'flamingo train --help'.", "train", "foo")]
    [InlineData("No verb was given. See 'flamingo train --help'.", "train")]
    [InlineData("Option '--merges' is required. See 'flamingo train mini-tokenizer --help'.", "train", "mini-tokenizer", "--out", "x.json")]
    public void Wrong_usage_points_to_the_help(string sentence, params string[] arguments)
    {
        var outcome = ProcessRunner.Run(arguments);
        Assert.Equal((1, "", $"error: {sentence}\n"), (outcome.ExitCode, outcome.Output, outcome.Error));
    }

    [Fact]
    public void A_corrupt_weight_file_is_a_model_error_without_a_stack_trace()
    {
        string copy = model.NewPath();
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.GetFiles(model.Folder))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        string weights = Path.Combine(copy, "model.safetensors");
        File.WriteAllBytes(weights, File.ReadAllBytes(weights)[..5000]);
        var outcome = ProcessRunner.RunIn(model.Sounds, null, null, "caption", "a.wav", "--model", copy);
        Assert.Equal((3, ""), (outcome.ExitCode, outcome.Output));
        Assert.StartsWith($"error: {weights}: ", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
    }
}
