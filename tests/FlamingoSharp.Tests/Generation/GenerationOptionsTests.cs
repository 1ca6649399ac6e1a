using FlamingoSharp.Generation;

namespace FlamingoSharp.Tests.Generation;

public sealed class GenerationOptionsTests
{
    public static TheoryData<GenerationOptions, string> Wrong => new()
    {
        { new() { MaxNewTokens = 0 }, "MaxNewTokens is 0, but at least 1 token must be generated." },
        { new() { NumBeams = 0 }, "NumBeams is 0, but at least 1 is needed; 1 means no beam search." },
        { new() { Temperature = 0 }, "Temperature is 0, but must lie between 0.001 and 1000; for the likeliest token at every step turn sampling off." },
        { new() { Temperature = double.NaN }, "Temperature is NaN, but must lie between 0.001 and 1000; for the likeliest token at every step turn sampling off." },
        { new() { TopK = -1 }, "TopK is -1, but cannot be negative; 0 keeps every token." },
        { new() { TopP = 1.5 }, "TopP is 1.5, but must be above 0 and at most 1; 1 keeps every token." },
        { new() { TopP = 0 }, "TopP is 0, but must be above 0 and at most 1; 1 keeps every token." },
        { new() { NumReturnSequences = 0 }, "NumReturnSequences is 0, but at least 1 sequence must be returned." },
        { new() { LengthPenalty = double.PositiveInfinity }, "LengthPenalty is Infinity, but must be a finite number; 1 is the default." },
        { new() { StopStrings = [""] }, "StopStrings holds an empty text, which would end every answer at once; leave it out." },
        { new() { NumBeams = 3, Sample = true }, "NumBeams is 3 and sampling is on, but beam search does not draw: choose one of the two." },
        { new() { NumBeams = 3, StopStrings = ["."] }, "NumBeams is 3 and there are StopStrings, but beams end at stop tokens only: use one beam, or drop the stop strings." },
        { new() { NumBeams = 3, NumReturnSequences = 4 }, "NumReturnSequences is 4, but 3 beams return at most 3 sequences: raise NumBeams." },
        { new() { NumReturnSequences = 2 }, "NumReturnSequences is 2, but greedy generation has one answer only: turn sampling on, or use beams." },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void Refuses_options_that_make_no_sense_and_says_why(GenerationOptions options, string message)
    {
        var error = Assert.Throws<FlamingoException>(options.Validate);
        Assert.Equal(FlamingoErrorKind.Usage, error.Kind);
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void The_presets_are_valid_and_those_of_the_released_scripts()
    {
        GenerationOptions[] presets = [GenerationOptions.Greedy, GenerationOptions.Foundation, GenerationOptions.Chat, GenerationOptions.Greedy2, GenerationOptions.Foundation2];
        Assert.All(presets, p => p.Validate());
        Assert.Equal([(false, 128), (true, 128), (true, 128), (false, 256), (true, 256)], presets.Select(p => (p.Sample, p.MaxNewTokens)));
        Assert.Equal([(30, 0.95), (50, 0.95), (30, 0.95)], presets.Where(p => p.Sample).Select(p => (p.TopK, p.TopP)));
    }

    [Fact]
    public void Takes_the_models_stop_tokens_unless_others_are_given()
    {
        Assert.Equal([2, 95], GenerationOptions.Greedy.ForModel(endOfText: 2, endOfChunk: 95, pad: 1).StopTokens);
        Assert.Equal([2], GenerationOptions.Greedy.ForModel(endOfText: 2, endOfChunk: 2, pad: 1).StopTokens);
        var own = (GenerationOptions.Greedy with { StopTokens = [7], PadToken = 0 }).ForModel(2, 95, 1);
        Assert.Equal([7], own.StopTokens);
        Assert.Equal(0, own.PadToken);
    }
}
