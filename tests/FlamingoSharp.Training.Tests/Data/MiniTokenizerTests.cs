using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Tests.Data;

public sealed class MiniTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flamingo-mini-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_shipped_tokenizer_is_what_its_own_merges_build()
    {
        string shipped = Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini");
        var file = TokenizerFile.Read(shipped);
        Assert.Equal(MiniTokenizer.DefaultMerges, file.Merges.Count);
        File.WriteAllLines(Path.Combine(_folder, "merges.txt"), file.Merges.Select(m => $"{m.Left} {m.Right}").Prepend("#version: 0.2"));
        MiniTokenizer.Build(Path.Combine(_folder, "merges.txt"), MiniTokenizer.DefaultMerges, Path.Combine(_folder, "tokenizer.json"));
        Assert.Equal(File.ReadAllText(Path.Combine(shipped, "tokenizer.json")), File.ReadAllText(Path.Combine(_folder, "tokenizer.json")));
    }

    [Fact]
    public void A_list_with_too_few_merges_is_refused_with_both_numbers()
    {
        string merges = Path.Combine(_folder, "merges.txt");
        File.WriteAllText(merges, "#version: 0.2\na b\n");
        var e = Assert.Throws<FlamingoException>(() => MiniTokenizer.Build(merges, 2, Path.Combine(_folder, "tokenizer.json")));
        Assert.Equal($"'{merges}' holds 1 merges, but 2 were asked for.", e.Message);
        Assert.False(File.Exists(Path.Combine(_folder, "tokenizer.json")));
    }

    [Fact]
    public void A_line_that_is_no_merge_is_named()
    {
        string merges = Path.Combine(_folder, "merges.txt");
        File.WriteAllText(merges, "a b c\n");
        var e = Assert.Throws<FlamingoException>(() => MiniTokenizer.Build(merges, 1, Path.Combine(_folder, "tokenizer.json")));
        Assert.Equal($"'{merges}': the merge 'a b c' is not two entries with a space between.", e.Message);
    }
}
