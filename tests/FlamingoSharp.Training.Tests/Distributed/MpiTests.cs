using System.Globalization;
using FlamingoSharp.TestKit;
using FlamingoSharp.Training.Distributed;

namespace FlamingoSharp.Training.Tests.Distributed;

public sealed class MpiTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flamingo-mpi-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string NewFolder() => _folder.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;

    private static Dictionary<string, string> Patience(int seconds) => new() { [MpiCommunicator.PatienceVariable] = seconds.ToString(CultureInfo.InvariantCulture) };

    /// <summary>Trains, and gives process 0's log and the last line of every process, which sums up its parameters.</summary>
    private (List<string> Log, List<string> Parameters) Train(int processes, params string[] options)
    {
        string folder = NewFolder();
        var outcome = MpiRun.Run(processes, null, ["train", $"folder={folder}", .. options]);
        Assert.Equal((0, "", ""), (outcome.ExitCode, outcome.Output, outcome.Error));
        var files = Enumerable.Range(0, Math.Max(1, processes)).Select(r => File.ReadAllLines(Path.Combine(folder, $"rank{r}.txt"))).ToList();
        Assert.All(files.Skip(1), f => Assert.DoesNotContain(f, l => l.StartsWith("step", StringComparison.Ordinal))); // one speaks for all
        return ([.. files[0]], [.. files.Select(f => f.Single(l => l.StartsWith("parameters", StringComparison.Ordinal)))]);
    }

    private static double[] Numbers(IEnumerable<string> log, string kind, int field) =>
        [.. log.Where(l => l.StartsWith(kind, StringComparison.Ordinal)).Select(l => double.Parse(l.Split(' ')[field], CultureInfo.InvariantCulture))];

    private static void AssertSameCurve(List<string> expected, List<string> actual)
    {
        Assert.Equal(Numbers(expected, "step", 4), Numbers(actual, "step", 4)); // samples
        foreach (var (kind, field) in new[] { ("step", 2), ("step", 3), ("validation", 2), ("parameters", 1) })
        {
            double[] a = Numbers(expected, kind, field), b = Numbers(actual, kind, field);
            Assert.Equal(a.Length, b.Length);
            Assert.NotEmpty(a);
            Assert.All(a.Zip(b), p => Assert.True(Math.Abs(p.First - p.Second) <= 2e-5 * Math.Abs(p.First), $"{kind}: {p.First} or {p.Second}"));
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Processes_add_up_copy_and_gather(int processes)
    {
        Mpirun.Require();
        var outcome = MpiRun.Run(processes, null, "collectives");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Error));
        int sum = processes * (processes + 1) / 2;
        string gathered = string.Join(',', Enumerable.Range(0, processes).Select(r => string.Join('/', Enumerable.Repeat(r, 3 * r))));
        Assert.Equal(
            Enumerable.Range(0, processes).Select(r => $"rank {r} of {processes}: {sum} {10 * sum} True True {gathered}"),
            outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Two_processes_learn_as_one_with_the_same_samples_a_step()
    {
        Mpirun.Require();
        var one = Train(0, "accumulation=2");
        var two = Train(2, "other=1"); // begins with other values, which process 0's replace
        AssertSameCurve(one.Log, two.Log);
        Assert.True(Numbers(one.Log, "step", 2)[^1] < Numbers(one.Log, "step", 2)[0] - 0.5, "Nothing was learned.");
        Assert.Single(two.Parameters.Distinct()); // bit for bit the same in both
        Assert.Contains(two.Log, l => l.StartsWith("overlap True", StringComparison.Ordinal));

        AssertSameCurve(one.Log, Train(2, "overlap=false").Log);
        AssertSameCurve(Train(0, "accumulation=4", "steps=3").Log, Train(2, "accumulation=2", "steps=3").Log);
    }

    [Fact]
    public void A_micro_batch_that_a_process_leaves_out_counts_as_in_one_process()
    {
        Mpirun.Require();
        AssertSameCurve(Train(0, "accumulation=2", "unreadable=1").Log, Train(2, "unreadable=1").Log);
    }

    [Fact]
    public void Processes_with_other_parameters_are_refused()
    {
        Mpirun.Require();
        var outcome = MpiRun.Run(2, null, "train", $"folder={NewFolder()}", "odd=1");
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains("error: Process 1 of this run trains other parameters than process 0. Start all of them with the same options, on the same files.\n", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kill=1", "exited on signal 9 (Killed)")] // mpirun's words
    [InlineData("kill=0", "exited on signal 9 (Killed)")]
    [InlineData("fail=1", "error: This process has had enough.")]
    [InlineData("hang=1", "error: This process has waited 3 s for another one of this run, which is gone or hangs; the run is ended. Go on with --resume, or allow more time by FLAMINGO_MPI_PATIENCE=SECONDS.")]
    public void A_process_that_dies_fails_or_hangs_ends_the_run_and_is_named(string what, string message)
    {
        Mpirun.Require();
        var outcome = MpiRun.Run(2, what.StartsWith("hang", StringComparison.Ordinal) ? Patience(3) : null, "train", $"folder={NewFolder()}", what, "at=6", "steps=1000000");
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "accumulation=1")]
    [InlineData(0, "accumulation=2")] // as many micro-batches a step in one process
    public void A_run_that_lost_a_process_goes_on_as_if_nothing_had_happened(int processes, string accumulation)
    {
        Mpirun.Require();
        string whole = NewFolder(), cut = NewFolder();
        Assert.Equal(0, MpiRun.Run(2, null, "train", $"folder={whole}").ExitCode);
        Assert.NotEqual(0, MpiRun.Run(2, null, "train", $"folder={cut}", "kill=1", "at=9").ExitCode); // in the fifth step of six
        Assert.InRange(TrainingLog.Read(cut).Max(l => l.Step), 1, 5);
        var resumed = MpiRun.Run(processes, null, "train", $"folder={cut}", "resume=true", accumulation);
        Assert.Equal((0, ""), (resumed.ExitCode, resumed.Error));

        List<LogLine> expected = [.. TrainingLog.Read(whole).Where(l => l.Time is null)], actual = [.. TrainingLog.Read(cut).Where(l => l.Time is null)];
        Assert.Equal(expected.Select(l => (l.Step, l.LearningRate)), actual.Select(l => (l.Step, l.LearningRate)));
        double tolerance = processes == 2 ? 0 : 2e-5; // number by number, or but for the order of adding up
        Assert.All(expected.Zip(actual), l => Assert.Equal(l.First.Loss ?? l.First.ValidationLoss!.Value, l.Second.Loss ?? l.Second.ValidationLoss!.Value, tolerance));
    }

    [Fact]
    public void Without_mpirun_or_with_one_process_there_is_no_MPI()
    {
        static MpiLaunch? Read(params (string Name, string Value)[] set) =>
            MpiLaunch.Read(n => set.Where(s => n == $"OMPI_COMM_WORLD_{s.Name}").Select(s => s.Value).SingleOrDefault());

        Assert.Null(Read());
        Assert.Null(Read(("RANK", "0"), ("SIZE", "1")));
        Assert.Null(Read(("RANK", "x"), ("SIZE", "2")));
        Assert.Equal(new MpiLaunch(1, 4, 2), Read(("RANK", "1"), ("SIZE", "4"), ("LOCAL_SIZE", "2")));
        var two = Read(("RANK", "0"), ("SIZE", "4"), ("LOCAL_SIZE", "2"))!;
        Assert.Equal([4, 1, null], [two.Threads(8, null), two.Threads(1, ""), two.Threads(8, "3")]);
        Assert.Null(MpiCommunicator.Join()); // this process
    }

    [Theory]
    [InlineData(null, 3600)]
    [InlineData("2.5", 2.5)]
    public void Patience_is_an_hour_or_as_said(string? text, double seconds) => Assert.Equal(seconds, MpiCommunicator.PatienceOf(text).TotalSeconds);

    [Theory]
    [InlineData("soon")]
    [InlineData("0")]
    public void A_patience_that_is_no_time_is_refused(string text) => Assert.Equal(
        $"FLAMINGO_MPI_PATIENCE is '{text}'; it must be a number of seconds above 0.",
        Assert.Throws<FlamingoException>(() => MpiCommunicator.PatienceOf(text)).Message);
}
