using FlamingoSharp.Models;
using FlamingoSharp.Text;

namespace FlamingoSharp.Cli.Tests;

/// <summary>A synthetic model folder and some sounds, good and bad, made once for all tests.</summary>
public sealed class TinyModel : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flamingo-cli-tests-");

    /// <summary>Makes the model by <c>flamingo synth</c>.</summary>
    public TinyModel()
    {
        var made = ProcessRunner.Run("synth", "--preset", "tiny", "--out", Folder);
        Assert.Equal((0, ""), (made.ExitCode, made.Error));
        Directory.CreateDirectory(Sounds);
        WaveFile.Tone(Sound("a.wav"), 2);
        WaveFile.Tone(Sound("b.wav"), 3);
        WaveFile.Tone(Sound("long.wav"), 20);
        File.WriteAllBytes(Sound("empty.wav"), []);
        File.WriteAllText(Sound("text.wav"), "hello there\n");
        WaveFile.Tone(Sound("silent.wav"), 0);
        WaveFile.Floats(Sound("nan.wav"), 0.5f, float.NaN);
    }

    /// <summary>The model folder.</summary>
    public string Folder => Path.Combine(_folder.FullName, "tiny");

    /// <summary>The folder of the sounds: a.wav (2 s), b.wav (3 s), long.wav (20 s), and bad ones.</summary>
    public string Sounds => Path.Combine(_folder.FullName, "sounds");

    internal FlamingoConfig Config => FlamingoConfig.Tiny;

    internal Tokenizer Tokenizer => Tokenizer.Load(Folder);

    /// <summary>Runs a verb on this model in the folder of the sounds, with short answers.</summary>
    internal ProcessOutcome Run(params IReadOnlyList<string> arguments) => Talk(null, arguments);

    internal ProcessOutcome Talk(string? input, params IReadOnlyList<string> arguments) =>
        ProcessRunner.RunIn(Sounds, input, null, [.. arguments, "--model", Folder, "--max-tokens", "4"]);

    /// <summary>A path that does not exist yet.</summary>
    internal string NewPath() => Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);

    private string Sound(string name) => Path.Combine(Sounds, name);
}

/// <summary>Tests that use the tiny model.</summary>
[CollectionDefinition(Name)]
public sealed class WithTinyModel : ICollectionFixture<TinyModel>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "tiny model";
}
