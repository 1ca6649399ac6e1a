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
    public void A_journal_is_written_by_one_and_read_by_others_afterwards()
    {
        using var journal = LineJournal.Open(_path);
        journal.Add("one"u8.ToArray());
        Assert.Null(LineJournal.TryRead(_path));
        var error = Assert.Throws<FlamingoException>(() => LineJournal.Open(_path));
        Assert.StartsWith($"'{_path}' cannot be written, or another run is writing it: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(FlamingoErrorKind.Usage, error.Kind);
        journal.Dispose();
        Assert.Equal(["one"], LineJournal.TryRead(_path)!.Select(Encoding.UTF8.GetString));
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
