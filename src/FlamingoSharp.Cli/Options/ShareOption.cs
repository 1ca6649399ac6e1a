using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace FlamingoSharp.Cli.Options;

/// <summary>An option that is a share of something, from 0 to 1.</summary>
internal static class ShareOption
{
    public static Option<double> Create(string name, string description, double byDefault) => new(name)
    {
        Description = description,
        HelpName = "SHARE",
        DefaultValueFactory = _ => byDefault,
        Validators = { Check },
    };

    private static void Check(OptionResult result)
    {
        if (result.Tokens is [var token] && double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is not (>= 0 and <= 1))
            result.AddError($"{result.Option.Name} is {token.Value}; a share must lie between 0 and 1.");
    }
}
