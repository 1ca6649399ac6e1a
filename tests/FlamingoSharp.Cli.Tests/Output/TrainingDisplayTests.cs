using FlamingoSharp.Cli.Output;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli.Tests.Output;

public sealed class TrainingDisplayTests
{
    [Fact]
    public void Lines_tell_the_start_validations_and_the_end()
    {
        var said = new List<string>();
        var lines = new TrainingLines(said.Add);
        lines.Started(new TrainingStart("sft", 20, 22, 1234, 2, 1));
        lines.Stepped(Step(21, 2));
        lines.Validated(new TrainingValidation(21, 1.5, new Dictionary<string, double> { ["recall@1"] = 0.25 }, true));
        lines.Stepped(Step(22, 1));
        Assert.Equal(
            [
                "training: sft: 1,234 numbers learn, 22 steps, going on from step 20",
                "step 21 of 22  loss 2.0000  rate 1.0e-4  16.0 samples/s  20 % waiting for data  300 MB  1 min 5 s left",
                "step 21  validation loss 1.5000  recall@1 0.250  best",
                "step 22 of 22  loss 1.5000  rate 1.0e-4  16.0 samples/s  20 % waiting for data  300 MB  1 min 5 s left",
            ],
            said);
        Assert.Equal("22 of 22", lines.Figures().First().Value[..8]);
        Assert.Equal([2, 1], lines.LossCurve(10));
    }

    [Fact]
    public void The_end_is_a_sentence()
    {
        var outcome = new TrainingOutcome(TrainingEnd.NoImprovement, 15, 120, 1.25, 5, 3, StepSeconds: 10, WaitSeconds: 0.5, SamplesPerSecond: 12);
        Assert.Equal(
            "out: 15 steps, because validation stopped getting better; smallest validation loss 1.2500 at step 5; 3 micro-batches left out; 12.0 samples/s, 5.0 % waiting for data",
            TrainingDisplay.Summary(outcome, "out"));
        Assert.EndsWith(
            "5.0 % waiting for data; in all 40 s: 80.0 % computing, 2.5 % waiting for data, 10.0 % validation, 5.0 % writing",
            TrainingDisplay.Summary(outcome with { Time = new(40, 32, 1, 4, 2) }, "out"), StringComparison.Ordinal);
    }

    private static TrainingStepReport Step(int step, double loss) =>
        new(step, loss, 1e-4, 0.5, 8, 0.5, 0.1, 300L << 20, 0, TimeSpan.FromSeconds(65));
}
