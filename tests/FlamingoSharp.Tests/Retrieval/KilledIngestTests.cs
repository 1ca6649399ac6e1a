using System.Globalization;
using FlamingoSharp.Retrieval;
using FlamingoSharp.TestKit;

namespace FlamingoSharp.Tests.Retrieval;

/// <summary>An ingest that is killed loses nothing that it has reported, and goes on where it was.</summary>
public sealed class KilledIngestTests
{
    private const int Kills = 20, Sounds = 400; // more than a fast machine takes in before it is killed

    [Fact]
    public async Task After_twenty_kills_every_sound_is_there_once()
    {
        string folder = Directory.CreateTempSubdirectory("flamingo-kill-").FullName, index = Path.Combine(folder, "index.db");
        try
        {
            for (int i = 0; i < Sounds; i++)
                SmallWaves.Write(Path.Combine(folder, "sounds", $"label {i % 4}", $"{i}.wav"), i, seconds: 0.05);
            var random = new Random(11);
            int there = 0;
            for (int kill = 0; kill < Kills; kill++)
            {
                int reported = 0;
                using (var process = IngestProcess.Start(Path.Combine(folder, "sounds"), index))
                {
                    int lines = random.Next(0, 4) + (there == 0 ? 1 : 0);
                    // The sounds known already are passed over in batches that add nothing; only those that add are counted.
                    while (lines > 0 && await process.StandardOutput.ReadLineAsync() is { } line)
                    {
                        Assert.NotEqual("end", line);
                        int added = int.Parse(line, CultureInfo.InvariantCulture);
                        lines -= added > reported ? 1 : 0;
                        reported = added;
                    }
                    await Task.Delay(random.Next(0, 12)); // somewhere in the next batch
                    process.Kill();
                    await process.WaitForExitAsync();
                }
                int now = await CheckAsync();
                Assert.InRange(now, there + reported, Sounds - 1);
                there = now;
            }
            Assert.True(there > 0);
            using (var last = IngestProcess.Start(Path.Combine(folder, "sounds"), index))
            {
                string output = await last.StandardOutput.ReadToEndAsync();
                await last.WaitForExitAsync();
                Assert.EndsWith($"{Sounds - there}\nend\n", output, StringComparison.Ordinal);
            }
            Assert.Equal(Sounds, await CheckAsync());
            Assert.Equal([index], Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        // Every record has its vector and is found by it; nothing is there twice.
        async Task<int> CheckAsync()
        {
            if (!File.Exists(index) || new FileInfo(index).Length == 0)
                return 0;
            using var store = new SqliteSoundStore(index);
            try
            {
                await store.OpenAsync();
            }
            catch (FlamingoException e) when (e.Message.EndsWith("Name one that 'flamingo index build' made.", StringComparison.Ordinal))
            {
                return 0; // killed before the first write
            }
            var all = await store.ScanAsync(vectors: true).ToListAsync();
            Assert.Equal(all.Count, all.Select(s => s.Hash).Distinct().Count());
            Assert.Equal(all.Count, await store.CountAsync());
            foreach (var sound in all)
            {
                var nearest = await store.SearchAsync(sound.Embedding, 1).ToListAsync();
                Assert.Equal(1, nearest[0].Score!.Value, 5);
            }
            return all.Count;
        }
    }
}
