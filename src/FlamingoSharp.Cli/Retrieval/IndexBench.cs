using System.Diagnostics;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Retrieval;

namespace FlamingoSharp.Cli.Retrieval;

/// <summary>Times a store on made-up vectors that lie in clusters, as those of sounds do.</summary>
internal static class IndexBench
{
    private const int Top = 10, Clusters = 1000;
    private const float Spread = 0.7f;

    /// <summary>Fills a store, asks it, and compares what it finds with all there is to find.</summary>
    /// <param name="store">A new store; its collection is removed afterwards.</param>
    /// <param name="sounds">Vectors.</param> <param name="queries">Times that it is asked.</param> <param name="batch">Vectors written together.</param>
    /// <param name="progress">Told the share written.</param> <param name="cancellation">Stops.</param>
    public static async Task<IndexBenchLine> RunAsync(SoundStore store, int sounds, int queries, int batch, Action<double> progress, CancellationToken cancellation)
    {
        int dimension = store.Encoder.Dimension;
        float[][] centres = [.. Enumerable.Range(0, Clusters).Select(i => Noise(i, dimension))];
        using var exact = new MemorySoundStore(store.Encoder);
        var writing = new Stopwatch();
        for (int first = 0; first < sounds; first += batch)
        {
            IndexedSound[] made = [.. Enumerable.Range(first, Math.Min(batch, sounds - first)).Select(i => new IndexedSound
            {
                Id = $"{i:x64}",
                Hash = $"{i:x64}",
                Path = $"sounds/{i % Clusters}/{i}.wav",
                Labels = [$"label {i % Clusters}"],
                Embedding = Point(i),
            })];
            writing.Start();
            await store.UpsertAsync(made, cancellation).ConfigureAwait(false);
            writing.Stop();
            await exact.UpsertAsync(made, cancellation).ConfigureAwait(false);
            progress((double)(first + made.Length) / sounds);
        }
        writing.Start();
        await store.OptimizeAsync(cancellation).ConfigureAwait(false);
        writing.Stop();
        var opening = Stopwatch.StartNew();
        await AskAsync(store, Point(sounds)).ConfigureAwait(false); // the first query reads the vectors
        opening.Stop();
        double[] times = new double[queries];
        var processor = TimeSpan.Zero; // what a query costs where other processes take turns
        using var self = Process.GetCurrentProcess();
        int found = 0;
        for (int q = 0; q < queries; q++)
        {
            float[] query = Point(sounds + 1 + q);
            var before = self.TotalProcessorTime;
            var watch = Stopwatch.StartNew();
            var answer = await AskAsync(store, query).ConfigureAwait(false);
            times[q] = watch.Elapsed.TotalMilliseconds;
            self.Refresh();
            processor += self.TotalProcessorTime - before;
            found += answer.Intersect(await AskAsync(exact, query).ConfigureAwait(false)).Count();
        }
        Array.Sort(times);
        long? bytes = await store.SizeAsync(cancellation).ConfigureAwait(false);
        return new IndexBenchLine(
            store.Name, sounds, dimension, Math.Round(sounds / writing.Elapsed.TotalSeconds, 1), bytes, Math.Round(opening.Elapsed.TotalMilliseconds, 1),
            Math.Round(times[queries / 2], 3), Math.Round(times[(int)(queries * 0.95)], 3), Math.Round(processor.TotalMilliseconds / queries, 3), Math.Round((double)found / (queries * Math.Min(Top, sounds)), 4), Environment.ProcessorCount);

        float[] Point(int i) => [.. centres[i % Clusters].Zip(Noise(Clusters + i, dimension), (c, n) => c + (Spread * n))];

        async Task<List<string>> AskAsync(SoundStore asked, float[] query) =>
            [.. (await asked.NearestAsync(query, Top, accept: null, cancellation).ConfigureAwait(false)).Select(m => m.Sound.Id)];
    }

    private static float[] Noise(int seed, int dimension)
    {
        var random = new Random(seed);
        float[] vector = new float[dimension];
        for (int i = 0; i < dimension; i++)
            vector[i] = random.NextSingle() - 0.5f;
        return vector;
    }
}
