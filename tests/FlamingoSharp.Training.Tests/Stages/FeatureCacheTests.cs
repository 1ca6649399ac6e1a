using FlamingoSharp.Training.Stages;

namespace FlamingoSharp.Training.Tests.Stages;

/// <summary>Outputs of a frozen encoder on disk.</summary>
public sealed class FeatureCacheTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-cache-").FullName;
    private int _computed;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Computes_once_also_for_another_process()
    {
        var first = Features(new FeatureCache(_folder, 1 << 20), 1);
        var second = Features(new FeatureCache(_folder, 1 << 20), 1);
        Assert.Equal(1, _computed);
        Assert.Equal((long[])[2, 3, 4], second.Shape);
        Assert.Equal(first.Values, second.Values);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(-1)] // cut short
    public void A_damaged_file_is_computed_anew(int at)
    {
        var cache = new FeatureCache(_folder, 1 << 20);
        var good = Features(cache, 1);
        string file = Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Single();
        byte[] bytes = File.ReadAllBytes(file);
        if (at < 0)
            bytes = bytes[..^5];
        else
            bytes[at] ^= 1;
        File.WriteAllBytes(file, bytes);
        Assert.Equal(good.Values, Features(cache, 1).Values);
        Assert.Equal(2, _computed);
        Features(cache, 1);
        Assert.Equal(2, _computed); // and is good again
    }

    [Fact]
    public void What_was_not_used_for_longest_goes_when_there_is_too_much()
    {
        const int Size = 4 + 3 * 8 + 24 * 4 + 4;
        var cache = new FeatureCache(_folder, 10 * Size);
        for (int i = 0; i < 10; i++)
            Features(cache, i);
        foreach (var (file, i) in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Select((f, i) => (f, i)))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-2));
        Features(cache, 3); // used
        Features(cache, 10); // one too many
        Assert.InRange(Directory.GetFiles(_folder, "*", SearchOption.AllDirectories).Length, 8, 9);
        int before = _computed;
        Features(cache, 3);
        Features(cache, 10);
        Assert.Equal(before, _computed);
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_told()
    {
        string file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "");
        var error = Assert.Throws<FlamingoException>(() => new FeatureCache(Path.Combine(file, "cache"), 1));
        Assert.StartsWith($"The cache of sound features '{file}/cache' cannot be used: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(" Name another folder with data_config.feature_cache, or 'none'.", error.Message, StringComparison.Ordinal);
    }

    private SoundFeatures Features(FeatureCache cache, int number) => cache.Get($"{number:00}abc", () =>
    {
        _computed++;
        return new SoundFeatures([2, 3, 4], [.. Enumerable.Range(0, 24).Select(i => (float)(i * number))]);
    });
}
