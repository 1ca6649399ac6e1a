using System.CommandLine;
using System.Globalization;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Cli.Verbs.Train;

/// <summary><c>flamingo train mels</c>: spectrograms of every sound of a store.</summary>
internal sealed class MelsVerb : Verb
{
    private readonly Option<string> _sounds = new("--sounds") { Description = "Folder of the store that 'train render' made.", HelpName = "DIR", Required = true };

    private readonly Option<string> _out = new("--out", "-o") { Description = "Folder of the spectrograms; one that is there is completed.", HelpName = "DIR", Required = true };

    public MelsVerb()
        : base("mels", "Compute the spectrograms of a store of sounds.", "flamingo train mels --sounds work/sounds --out work/mels")
    {
        Add(_sounds);
        Add(_out);
    }

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var options = new BuildMelsOptions { SoundFolder = parse.GetValue(_sounds)!, OutputFolder = parse.GetValue(_out)! };
        int done = Terminal.Track("Computing spectrograms", bar =>
        {
            int done = 0;
            BuildMels.Run(options, new CallbackProgress<SoundProgress>(p =>
            {
                done = p.Done;
                bar((double)p.Done / Math.Max(1, p.Total));
            }), cancellation);
            return done;
        });
        Terminal.Say(done == 0 ? $"{options.OutputFolder}: nothing was missing" : string.Create(CultureInfo.InvariantCulture, $"{options.OutputFolder}: {done} sounds"));
        return Task.FromResult(ExitCode.Ok);
    }
}
