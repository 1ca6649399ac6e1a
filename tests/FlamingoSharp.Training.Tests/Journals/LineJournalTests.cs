using System.Text;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Training.Tests.Journals;

public sealed class LineJournalTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Lines_that_were_added_are_there_and_half_a_line_is_not()
    {
        using (var journal = LineJournal.Open(_path))
            journal.Add("one"u8.ToArray(), "two"u8.ToArray());
        File.AppendAllText(_path, "thr");
        using (var journal = LineJournal.Open(_path))
        {
            Assert.Equal(["one", "two"], journal.Lines().Select(Encoding.UTF8.GetString));
            journal.GoOnAfter(8);
            journal.Add("three"u8.ToArray());
        }
        Assert.Equal("one\ntwo\nthree\n", File.ReadAllText(_path));
    }

    [Fact]
    public void A_journal_is_written_by_one_and_read_by_others_meanwhile()
    {
        using var journal = LineJournal.Open(_path);
        journal.Add("one"u8.ToArray());
        Assert.Equal(["one"], LineJournal.Read(_path).Select(Encoding.UTF8.GetString));
        var error = Assert.Throws<FlamingoException>(() => LineJournal.Open(_path));
        Assert.StartsWith($"'{_path}' cannot be written, or another run is writing it: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(FlamingoErrorKind.Usage, error.Kind);
        Assert.Equal($"'{_path}.gone' cannot be read: No such file or directory.", Assert.Throws<FlamingoException>(() => LineJournal.Read(_path + ".gone")).Message);
    }

    [Fact]
    public void Whoever_reads_finds_whole_lines_only_and_changes_nothing()
    {
        File.WriteAllText(_path, "one\ntw"); // as far as another process has come
        Assert.Equal(["one"], LineJournal.Read(_path).Select(Encoding.UTF8.GetString));
        Assert.Equal("one\ntw", File.ReadAllText(_path));
    }

    [Fact]
    public async Task Readers_and_the_writer_do_not_disturb_each_other()
    {
        string[] lines = [.. Enumerable.Range(0, 400).Select(i => $"{i} {new string('x', 50 + (i * 37 % 3000))}")];
        using var stop = new CancellationTokenSource();
        int reads = 0;
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                var seen = LineJournal.Read(_path);
                Assert.Equal(lines.Take(seen.Count), seen.Select(Encoding.UTF8.GetString));
                Interlocked.Increment(ref reads);
            }
        })).ToArray();
        long end = 0;
        foreach (string[] part in lines.Chunk(8)) // opened anew each time, as by a run that goes on
        {
            using var journal = LineJournal.Open(_path);
            journal.GoOnAfter(end);
            journal.Add(part.Select(Encoding.UTF8.GetBytes));
            end += part.Sum(l => l.Length + 1);
        }
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.True(reads > 1);
        Assert.Equal(lines, LineJournal.Read(_path).Select(Encoding.UTF8.GetString));
    }

    [Fact]
    public void Restarting_throws_away_what_is_there()
    {
        File.WriteAllText(_path, "one\n");
        using (LineJournal.Open(_path, restart: true))
        {
        }
        Assert.Equal("", File.ReadAllText(_path));
    }
}
