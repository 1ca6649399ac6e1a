using System.CommandLine;

namespace FlamingoSharp.Cli.Verbs.Data;

/// <summary><c>flamingo data</c>: data sets for training and evaluation, a subcommand for each thing to do with them.</summary>
internal sealed class DataVerb : Command
{
    public DataVerb()
        : base("data", "Make, check and look at data sets for training and evaluation.")
    {
        Add(new DataBuildVerb());
        Add(new DataValidateVerb());
        Add(new DataPreviewVerb());
        Add(new DataInterleaveVerb());
    }
}
