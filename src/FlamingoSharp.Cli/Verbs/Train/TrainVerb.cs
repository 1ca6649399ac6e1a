using System.CommandLine;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train</c>: the steps that make a model, a subcommand each.</summary>
internal sealed class TrainVerb : Command
{
    public TrainVerb()
        : base("train", "Prepare data and train; a subcommand for each step.")
    {
        Add(new TrainTokenizerVerb());
        Add(new RenderVerb());
        Add(new MelsVerb());
        Add(new TrainEncoderVerb());
        Add(new TrainClapVerb());
        Add(new TrainLanguageVerb());
        Add(new TrainEvaluateVerb());
    }
}
