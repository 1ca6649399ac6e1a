using System.Text;
using System.Text.Json.Serialization;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Training.Tests.Journals;

public sealed partial class JournalTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flamingo-journal-");

    private string Output => Path.Combine(_folder.FullName, "out.txt");

    private string Partial => Journal<Work, Entry>.PartialOf(Output);

    public void Dispose() => _folder.Delete(recursive: true);

    private Journal<Work, Entry> Open(string model = "m", bool restart = false, List<int>? taken = null) =>
        Journal<Work, Entry>.Open(Output, new Work(model), TestJson.Default.Work, TestJson.Default.Entry, restart, e =>
        {
            taken?.Add(e.Number);
            return e.Number >= 0;
        });

    private static void Finish(Journal<Work, Entry> journal) =>
        journal.Complete(file => file.Write(Encoding.UTF8.GetBytes(string.Join(' ', journal.Entries().Select(e => e.Number)))));

    [Fact]
    public void Results_are_on_disk_at_once_and_the_file_appears_when_all_are_there()
    {
        using (var journal = Open())
        {
            journal.Add(new Entry(1), new Entry(2));
            Assert.Equal("{\"Model\":\"m\"}\n{\"Number\":1}\n{\"Number\":2}\n".Length, new FileInfo(Partial).Length);
            Assert.Equal([1, 2], journal.Entries().Select(e => e.Number));
            journal.Add(new Entry(3)); // goes to the end, although the journal has been read
            Assert.False(File.Exists(Output));
            Finish(journal);
        }
        Assert.Equal("1 2 3", File.ReadAllText(Output));
        Assert.Equal([Output], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Theory]
    [InlineData("{\"Number\":3")] // not finished
    [InlineData("{\"Number\":3}")] // whole, but its line is not
    [InlineData("not JSON\n{\"Number\":4}\n")]
    [InlineData("{\"Number\":-1}\n{\"Number\":4}\n")] // refused by the caller
    public void What_a_killed_run_left_is_taken_up_to_the_last_good_line(string torn)
    {
        using (var journal = Open())
            journal.Add(new Entry(1), new Entry(2));
        File.AppendAllText(Partial, torn);
        var taken = new List<int>();
        using (var journal = Open(taken: taken))
        {
            Assert.Equal([1, 2], taken.Where(n => n >= 0));
            journal.Add(new Entry(5));
            Finish(journal);
        }
        Assert.Equal("1 2 5", File.ReadAllText(Output));
    }

    [Fact]
    public void Other_work_and_other_files_are_not_touched()
    {
        using (var journal = Open())
            journal.Add(new Entry(1));
        byte[] left = File.ReadAllBytes(Partial);
        var other = Assert.Throws<FlamingoException>(() => Open(model: "n"));
        Assert.Equal($"'{Partial}' was begun by another run: different are the model. Repeat that command to continue it, or add --restart to begin anew.", other.Message);
        Assert.Equal(left, File.ReadAllBytes(Partial));

        using (var first = Open())
        {
            var second = Assert.Throws<FlamingoException>(() => Open());
            Assert.StartsWith($"'{Partial}' cannot be written, or another run is writing it: ", second.Message, StringComparison.Ordinal);
        }

        File.WriteAllText(Partial, "{\"some\":\"json\"}\n");
        var foreign = Assert.Throws<FlamingoException>(() => Open());
        Assert.Equal($"'{Partial}' is no unfinished run of tests; delete it, or add --restart to write it anew.", foreign.Message);
        Assert.Equal("{\"some\":\"json\"}\n", File.ReadAllText(Partial));

        using (var anew = Open(restart: true))
            Finish(anew);
        Assert.Equal("", File.ReadAllText(Output));
        var finished = Assert.Throws<FlamingoException>(() => Open());
        Assert.Equal($"'{Output}' exists already; name another file, or add --restart to write it anew.", finished.Message);
    }

    [Fact]
    public void A_journal_without_results_goes_as_it_came()
    {
        Open().Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName));
        using (var journal = Open())
            journal.Add(new Entry(1));
        Open().Dispose(); // adds nothing, and takes nothing away
        Assert.Equal(2, File.ReadAllLines(Partial).Length);
    }

    internal sealed record Work(string Model) : IJournalWork<Work>
    {
        public static string Noun => "run of tests";

        public bool IsWhole() => Model is not null;

        public string? DifferenceFrom(Work earlier) => Model == earlier.Model ? null : "the model";
    }

    internal sealed record Entry(int Number);

    [JsonSerializable(typeof(Work))]
    [JsonSerializable(typeof(Entry))]
    internal sealed partial class TestJson : JsonSerializerContext;
}
