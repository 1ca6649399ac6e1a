using FlamingoSharp.Training.DataSets;
using FlamingoSharp.Training.Tests.Sounds;

namespace FlamingoSharp.Training.Tests.DataSets;

/// <summary>A temporary folder with sounds and tables to make data sets from.</summary>
internal sealed class SetFolder : IDisposable
{
    private int _tones;

    public string Root { get; } = Directory.CreateTempSubdirectory("flamingo-set-").FullName;

    public string Out => Path.Combine(Root, "set");

    public string PathOf(string name) => Path.Combine(Root, name);

    /// <summary>Writes short tones of different pitch; the names are relative to the folder.</summary>
    public void Tones(params IEnumerable<string> names)
    {
        foreach (string name in names)
            Tone(name, 0.2 + 0.05 * (_tones / 60), 110 * Math.Pow(1.07, _tones++ % 60)); // a semitone apart, so that none is taken for another
    }

    public void Tone(string name, double seconds, double hertz, int silentChannel = -1) =>
        SoundFolder.WriteTone(PathOf(name), seconds, hertz, silentChannel: silentChannel);

    /// <summary>Writes a text file of the given lines.</summary>
    public string Text(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    /// <summary>Class folders <c>sounds/label/n.wav</c>.</summary>
    public string Classes(int each, params string[] labels)
    {
        Tones(labels.SelectMany(l => Enumerable.Range(0, each).Select(i => $"sounds/{l}/{i:00}.wav")));
        return PathOf("sounds");
    }

    public BuiltDataSet Build(string source, SplitOptions? splits = null) =>
        BuildDataSet.From(source, new() { OutputFolder = Out, Splits = splits ?? new() }, cancellation: TestContext.Current.CancellationToken);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
