using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Tests.Data;

/// <summary>Wordings that the golden set does not reach; expected texts follow the reference's rules.</summary>
public sealed class TextAugmentationTests
{
    [Theory]
    [InlineData("CREMA-D-EmotionClassification/train", "default", "this emotion is", "sad", "what is the emotion of this speech?", "sad")]
    [InlineData("MELD-EmotionClassification/train", "provide_all_labels", "this emotion is", "joy",
        "what is the emotion of this speech?\nOPTIONS:\n - angry.\n - disgusted.\n - fearful.\n - happy.\n - neutral.\n - sad.\n - surprised.", "joy")]
    [InlineData("MELD-SentimentClassification/train", "provide_all_labels", "x", "positive", "what is the sentiment of this speech?\nOPTIONS:\n - negative.\n - neutral.\n - positive.", "positive")]
    [InlineData("NSynth-SourceClassification/train", "default", "x", "acoustic", "what is the source of this music?", "acoustic")]
    [InlineData("Medley-solos-DB-InstrClassification/train", "default", "x", "piano", "what is the instrument of this music?", "piano")]
    [InlineData("FMA-GenreClassification/train", "provide_all_labels", "x", "rock", "what is the genre of this music?", "rock")]
    [InlineData("NonSpeech7k-EventClassification/train", "default", "this sound is", "cough", "this sound is", "cough")]
    [InlineData("NSynth-QualityClassification/train", "default", "x", "bright", "what are the qualities of the music?", "bright")]
    [InlineData("AudioSet-EventClassification/train", "default", "x", "Dog, Bark.", "use a few labels to describe this sound.", "dog, bark")]
    [InlineData("Clotho-AQA-AQA/train", "AQA_binary_instruction", "question: loud?", "yes, no", "please answer this question: loud?\nOPTIONS:\nyes.\nno.", "yes, no")]
    [InlineData("Clotho-AQA-AQA/train", "default", "the question: loud?", "yes", "the question: loud?", "yes")]
    [InlineData("MusicCaps-AudioCaptioning/train", "AC_long", "x", "A sound.", "describe the music at length.", "a sound.")]
    [InlineData("MACS-AudioCaptioning/train", "AC_paragraph", "x", "One. Two. three", "describe the sound in a paragraph.", "one; two. three")]
    [InlineData("MACS-AudioCaptioning/train", "AC_paragraph", "x", " rain ", "describe the sound in a paragraph.", "rai.rain")]
    [InlineData("MACS-AudioCaptioning/train", "do_nothing", "Caption this", " A. B. ", "caption this", "a. b.")]
    public void Questions_and_answers_are_worded_by_data_set(string task, string wording, string prompt, string output, string worded, string answer)
    {
        var text = TextAugmentation.ForTraining(
            new Example { Name = "a.wav", Prompt = prompt, Output = output }, task, Always(wording), new NumpyGenerator(1), isShot: false);
        Assert.Equal((worded + "\nAnswer:", answer), (text.Prompt, text.Output));
    }

    [Fact]
    public void Shots_list_no_options()
    {
        AugmentedText Shot(string task, string wording) => TextAugmentation.ForTraining(
            new Example { Name = "a.wav", Prompt = "x", Output = "siren" }, task, Always(wording), new NumpyGenerator(1), isShot: true);
        Assert.Equal("classify this sound.\nAnswer:", Shot("UrbanSound8K-EventClassification/train", "provide_all_labels").Prompt);
        Assert.Equal("use a few labels to describe this sound.\nAnswer:", Shot("SONYC-UST-EventClassification/train", "default").Prompt);
    }

    [Theory]
    [InlineData(0.0, 0)]
    [InlineData(0.25, 250)]
    [InlineData(1.0, 1000)]
    public void The_task_is_named_as_often_as_asked_for(double probability, int expected)
    {
        var random = new NumpyGenerator(5);
        var options = Always("do_nothing") with { PrefixProbability = probability };
        int named = Enumerable.Range(0, 1000).Count(_ => TextAugmentation.ForTraining(
            new Example { Name = "a.wav" }, "MACS-AudioCaptioning/train", options, random, isShot: false).Prefix == "The task is audio captioning. ");
        Assert.InRange(named, expected - 50, expected + 50);
    }

    [Fact]
    public void Validation_words_an_example_the_same_way_every_time()
    {
        var options = new AugmentationOptions { Wordings = [KeyValuePair.Create("AC_short", 0.5), KeyValuePair.Create("AC_long", 0.5)] };
        var example = new Example { Name = "a.wav", Prompt = "x", Output = "A dog." };
        string[] prompts = [.. Enumerable.Range(0, 20).Select(i =>
            TextAugmentation.ForValidation(example, "MACS-AudioCaptioning/val", options, new NumpyGenerator((ulong)i), isShot: false).Prompt)];
        Assert.Single(prompts.Distinct());
    }

    private static AugmentationOptions Always(string wording) => new() { Wordings = [KeyValuePair.Create(wording, 1.0)], PrefixProbability = 1 };
}
