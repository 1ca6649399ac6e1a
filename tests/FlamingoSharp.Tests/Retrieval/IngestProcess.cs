using System.Diagnostics;
using System.Globalization;
using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>An ingest in a process of its own, which is this test program started again: it can be killed.</summary>
internal static class IngestProcess
{
    private const string Folder = "FLAMINGO_TEST_INGEST_FOLDER", Index = "FLAMINGO_TEST_INGEST_INDEX";

    /// <summary>Does the work and ends, if this process was started for it. Called before anything else is.</summary>
    public static void RunIfAsked()
    {
        if (Environment.GetEnvironmentVariable(Folder) is not { } folder)
            return;
        using (var embedder = new FakeEmbedder())
        using (var index = SoundIndex.CreateAsync(Environment.GetEnvironmentVariable(Index)!, embedder).GetAwaiter().GetResult())
            index.AddAsync(SoundFolders.Find(folder), new() { BatchSize = 2 }, new Told()).GetAwaiter().GetResult();
        Console.Out.WriteLine("end");
        Environment.Exit(0);
    }

    /// <summary>Starts it; it says on standard output how many sounds it has added, once they are on disk.</summary>
    public static Process Start(string folder, string index)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(typeof(IngestProcess).Assembly.Location);
        start.Environment[Folder] = folder;
        start.Environment[Index] = index;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        process.BeginErrorReadLine();
        return process;
    }

    private sealed class Told : IProgress<IngestProgress>
    {
        public void Report(IngestProgress value)
        {
            Console.Out.WriteLine(value.Added.ToString(CultureInfo.InvariantCulture));
            Console.Out.Flush();
        }
    }
}
