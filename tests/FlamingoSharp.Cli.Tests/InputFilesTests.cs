namespace FlamingoSharp.Cli.Tests;

/// <summary>Wildcards that no shell expanded.</summary>
public sealed class InputFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flamingo-globs-");

    public InputFilesTests()
    {
        foreach (string file in new[] { "b.wav", "a.wav", "a.flac", "odd[1].wav", "x/c.wav", "x/y/d.wav" })
        {
            string path = Path.Combine(_folder.FullName, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, []);
        }
    }

    [Theory]
    [InlineData("*.wav", "a.wav", "b.wav", "odd[1].wav")]
    [InlineData("?.*", "a.flac", "a.wav", "b.wav")]
    [InlineData("x/*.wav", "x/c.wav")]
    [InlineData("*/c.wav", "x/c.wav")]
    [InlineData("**/*.wav", "a.wav", "b.wav", "odd[1].wav", "x/c.wav", "x/y/d.wav")]
    [InlineData("x/**", "x/c.wav", "x/y/d.wav")]
    [InlineData("odd[1].wav", "odd[1].wav")]
    [InlineData("*.mp3", "*.mp3")]
    [InlineData("missing.wav", "missing.wav")]
    public void Patterns_become_the_files_they_match_in_order(string pattern, params string[] files) => Assert.Equal(
        files.Select(f => Path.Combine(_folder.FullName, f)), InputFiles.Expand([Path.Combine(_folder.FullName, pattern)]));

    public void Dispose() => _folder.Delete(recursive: true);
}
