using System.CommandLine.Parsing;

namespace FlamingoSharp.Cli.Options;

/// <summary>Checks of numbers at the command line, before anything is loaded.</summary>
internal static class OptionRanges
{
    public static void AtLeast(this OptionResult result, int least)
    {
        if (result.Tokens is [var token] && int.TryParse(token.Value, out int value) && value < least)
            result.AddError($"{result.Option.Name} is {value}; it must be at least {least}.");
    }
}
