using System.CommandLine;
using System.CommandLine.Parsing;
using FlamingoSharp.Models;

namespace FlamingoSharp.Cli.Options;

/// <summary>An option <c>--preset</c> over some of the library's presets.</summary>
internal static class PresetOption
{
    // Other names that people know the models by.
    private static readonly Dictionary<string, string> s_aliases = new() { ["af1"] = "af1-foundation", ["af1-1.3b"] = "af1-foundation" };

    public static Option<string> Create(params string[] names)
    {
        var option = new Option<string>("--preset") { Description = $"The model's form: {string.Join(", ", names)}.", HelpName = "NAME" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !names.Contains(token.Value))
                result.AddError($"There is no preset '{token.Value}' here. Known are {string.Join(", ", names)}.");
        });
        return option;
    }

    /// <summary>Checks that the model's form is given in one way.</summary>
    public static void RequireOne(CommandResult command, Option preset, Option config)
    {
        if (command.GetResult(preset) is null == command.GetResult(config) is null)
            command.AddError("Give the model's form by --preset or by --config.");
    }

    /// <summary>The form that is given.</summary>
    /// <exception cref="FlamingoException">The configuration cannot be read.</exception>
    public static FlamingoConfig Find(ParseResult parse, Option<string?> preset, Option<string?> config) =>
        parse.GetValue(preset) is { } name ? Find(name) : FlamingoConfig.Load(parse.GetValue(config)!);

    public static FlamingoConfig Find(string name) => FlamingoConfig.Preset(s_aliases.GetValueOrDefault(name, name));
}
