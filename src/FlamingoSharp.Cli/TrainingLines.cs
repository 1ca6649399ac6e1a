using System.Globalization;
using FlamingoSharp.Training;

namespace FlamingoSharp.Cli;

/// <summary>Says how a training run goes, a line every few steps.</summary>
internal sealed class TrainingLines(int every = 50) : ITrainingObserver
{
    private double _loss;
    private double _seconds;
    private double _waited;
    private int _samples;
    private int _steps;

    public void Started(TrainingStart start) => Terminal.Say(string.Create(CultureInfo.InvariantCulture,
        $"{start.Task}: {start.Parameters:#,0} parameters learn, step {start.FirstStep} to {start.TotalSteps}"));

    public void Stepped(TrainingStepReport step)
    {
        _loss += step.Loss;
        _seconds += step.Seconds;
        _waited += step.WaitSeconds;
        _samples += step.Samples;
        _steps++;
        if (step.Step % every != 0)
            return;
        Terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"step {step.Step}  loss {_loss / _steps:0.0000}  rate {step.LearningRate:0.0e0}  {_samples / _seconds:0} samples/s  {_waited / _seconds:P0} waiting for data  {step.Remaining:h\\:mm} left"));
        (_loss, _seconds, _waited, _samples, _steps) = (0, 0, 0, 0, 0);
    }

    public void Validated(TrainingValidation validation) => Terminal.Say(string.Create(CultureInfo.InvariantCulture,
        $"step {validation.Step}  validation loss {validation.Loss:0.0000}{string.Concat(validation.Scores.Select(s => string.Create(CultureInfo.InvariantCulture, $"  {s.Key} {s.Value:0.0000}")))}{(validation.IsBest ? "  best so far" : "")}"));

    public void Warned(string message) => Terminal.Say(message);
}
