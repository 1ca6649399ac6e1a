using System.Runtime.InteropServices;
using System.Text.Json;
using FlamingoSharp.Audio;

namespace FlamingoSharp.Training.Sounds;

/// <summary>What <see cref="RenderSounds"/> decodes and renders, and where to.</summary>
public sealed record RenderSoundsOptions
{
    /// <summary>Folder of <c>catalogue.jsonl</c>, <c>synthesis.jsonl</c> and <c>qa.jsonl</c>.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Folder of the unpacked packages: a clip's file is <c>AudioFolder/package/path</c>.</summary>
    public required string AudioFolder { get; init; }

    /// <summary>Where the store is written; a store that is already there is completed.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>A folder of sound files stored as the split "demo", by their file names; null for none.</summary>
    public string? DemoFolder { get; init; }

    /// <summary>Splits to make; empty is all of them.</summary>
    public IReadOnlyList<string> Splits { get; init; } = [];

    /// <summary>Sample rate of the store, in Hz.</summary>
    public int SampleRate { get; init; } = 32000;

    /// <summary>Longest stretch kept of a sound, in seconds; 10.2 fills three windows of 5.1 s with a step of 2.55 s.</summary>
    public double MaxSeconds { get; init; } = 10.2;

    /// <summary>Sounds made at the same time.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;
}

/// <summary>How far a preparation is.</summary>
/// <param name="Done">Sounds finished, earlier runs included.</param>
/// <param name="Total">Sounds asked for.</param>
/// <param name="Failed">Sounds that could not be made.</param>
public sealed record SoundProgress(int Done, int Total, int Failed);

/// <summary>A sound that could not be made.</summary>
/// <param name="Id">Which one.</param>
/// <param name="Reason">Why.</param>
public sealed record SoundFailure(string Id, string Reason);

/// <summary>Decodes every clip and renders every recipe into a <see cref="SoundStore"/>.</summary>
public static class RenderSounds
{
    // Enough to share the time that starting a program and loading a soundfont take, few enough to lose little when stopped.
    private const int ClipsPerDecoding = 24, RecipesPerSynth = 48;

    /// <summary>Makes what is missing of a store. Stopping at any time loses only the sounds at work.</summary>
    /// <param name="options">What to make.</param>
    /// <param name="progress">Told after every sound.</param>
    /// <param name="ct">Stops the work.</param>
    /// <returns>The sounds that could not be made; they are tried again by the next run.</returns>
    /// <exception cref="FlamingoException">The data files cannot be read, or the folder holds a store made with other settings.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public static IReadOnlyList<SoundFailure> Run(
        RenderSoundsOptions options, IProgress<SoundProgress>? progress = null, CancellationToken ct = default)
    {
        var catalogue = SoundCatalogue.Load(options.DataFolder);
        Directory.CreateDirectory(options.OutputFolder);
        string data = Path.Combine(options.OutputFolder, SoundStore.DataName);
        string settings = JsonSerializer.Serialize(
            new SoundStoreSettings(options.SampleRate, options.MaxSeconds), SoundJson.Default.SoundStoreSettings);
        using var store = PackedFile.OpenForAppend(
            data, Path.Combine(options.OutputFolder, SoundStore.IndexName), new(SoundStore.Format, 1, settings), sizeof(short));
        var scratch = Directory.CreateTempSubdirectory("flamingo-sounds-");
        try
        {
            Work work = new(options, catalogue, new StoreSink(store), scratch.FullName, progress);
            work.Run(work.Clips(), ct);
            using MappedFile decoded = new(data); // compositions read their clips from the store
            var clips = catalogue.Clips.Where(c => store.Entries.ContainsKey(c.Id)).ToDictionary(c => c.Id, c => store.Entries[c.Id]);
            work.Run(work.Recipes(clip => clips.TryGetValue(clip.Id, out var line)
                ? Array.ConvertAll(decoded.Read<short>(line.Offset, line.Count).ToArray(), s => s / 32767f) : null), ct);
            return work.Failures;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>Renders the recipes that a sink does not have.</summary>
    /// <param name="catalogue">The recipes, and the clips that compositions are made of.</param>
    /// <param name="options">Where the clips are, rate and length; its other folders are not used.</param>
    /// <param name="sink">Takes the sounds, one after the other.</param>
    /// <param name="progress">Told after every sound.</param>
    /// <param name="ct">Stops the work.</param>
    /// <returns>The sounds that could not be made.</returns>
    internal static IReadOnlyList<SoundFailure> Recipes(
        SoundCatalogue catalogue, RenderSoundsOptions options, ISoundSink sink, IProgress<SoundProgress>? progress, CancellationToken ct)
    {
        var scratch = Directory.CreateTempSubdirectory("flamingo-sounds-");
        try
        {
            Work work = new(options, catalogue, sink, scratch.FullName, progress);
            work.Run(work.Recipes(_ => null), ct);
            return work.Failures;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private sealed class StoreSink(PackedFile store) : ISoundSink
    {
        public int Count => store.Entries.Count;

        public bool Has(string id) => store.Entries.ContainsKey(id);

        public void Append(string id, string split, short[] samples, bool cut) => store.Append(id, split, MemoryMarshal.AsBytes(samples.AsSpan()), cut);
    }

    private sealed class Work(
        RenderSoundsOptions options, SoundCatalogue catalogue, ISoundSink sink, string scratch, IProgress<SoundProgress>? progress)
    {
        private readonly ClipReader _reader = new(options.AudioFolder, scratch, options.SampleRate);
        private int _total;

        public List<SoundFailure> Failures { get; } = [];

        private bool Wanted(LabelledSound sound) => options.Splits.Count == 0 || options.Splits.Contains(sound.Split);

        private bool Missing(string id) => !sink.Has(id);

        public List<Job> Clips()
        {
            var wanted = catalogue.Clips.Where(Wanted).ToList();
            List<Job> jobs = [.. wanted.Where(c => Missing(c.Id)).Chunk(ClipsPerDecoding).Select(batch => new Job(
                [.. batch.Select(c => (c.Id, c.Split))],
                (only, ct) => _reader.Read(only is { } i ? [batch[i]] : batch, options.MaxSeconds, ct)))];
            _total = wanted.Count + catalogue.Recipes.Count(Wanted);
            if (options.DemoFolder is { } folder)
            {
                string[] files = [.. Directory.EnumerateFiles(folder, "*.wav").Order(StringComparer.Ordinal)];
                _total += files.Length;
                jobs.AddRange(files.Where(f => Missing(Path.GetFileName(f))).Select(file => new Job(
                    [(Path.GetFileName(file), "demo")], (_, ct) => [_reader.Read(file, options.MaxSeconds, ct)])));
            }
            return jobs;
        }

        public List<Job> Recipes(Func<Clip, float[]?> decoded)
        {
            if (_total == 0)
                _total = catalogue.Recipes.Count(Wanted);
            RecipeRenderer renderer = new(catalogue, _reader, options.AudioFolder, scratch, options.SampleRate, options.MaxSeconds) { Decoded = decoded };
            bool Needed(Recipe recipe) => Wanted(recipe) && Missing(recipe.Id);
            List<Job> jobs = [.. catalogue.Recipes.Where(r => r is not MusicRecipe && Needed(r))
                .Select(r => new Job([(r.Id, r.Split)], (_, ct) => [renderer.Render(r, ct)]))];
            // Batches do not depend on what is missing: a note sounds a trace different in other company.
            foreach (var batch in catalogue.Recipes.OfType<MusicRecipe>().GroupBy(r => r.Soundfont).SelectMany(g => g.Chunk(RecipesPerSynth)))
            {
                int[] needed = [.. Enumerable.Range(0, batch.Length).Where(i => Needed(batch[i]))];
                if (needed.Length > 0)
                {
                    jobs.Add(new([.. needed.Select(i => (batch[i].Id, batch[i].Split))], (only, ct) =>
                    {
                        if (only is { } i)
                            return [renderer.Render(batch[needed[i]], ct)];
                        var all = renderer.Render(batch, ct);
                        return [.. needed.Select(n => all[n])];
                    }));
                }
            }
            return jobs;
        }

        /// <summary>Runs jobs side by side; their sounds are written in the order of the jobs.</summary>
        public void Run(IReadOnlyList<Job> jobs, CancellationToken ct)
        {
            using SemaphoreSlim free = new(options.Workers);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
            Queue<(Job Job, Task<List<Outcome>> Result)> running = [];
            int next = 0;
            try
            {
                while (next < jobs.Count || running.Count > 0)
                {
                    // A slow job at the head must not starve the workers.
                    while (next < jobs.Count && running.Count < options.Workers * 4)
                        running.Enqueue((jobs[next], Make(jobs[next++], free, stop.Token)));
                    var (job, result) = running.Dequeue();
                    foreach (var (sound, outcome) in job.Sounds.Zip(result.GetAwaiter().GetResult()))
                        Write(sound.Id, sound.Split, outcome);
                    progress?.Report(new(sink.Count, _total, Failures.Count));
                }
            }
            finally
            {
                stop.Cancel();
                Task.WaitAll([.. running.Select(r => r.Result.ContinueWith(_ => { }, TaskScheduler.Default))], CancellationToken.None);
            }
        }

        private static async Task<List<Outcome>> Make(Job job, SemaphoreSlim free, CancellationToken ct)
        {
            await free.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                return await Task.Run(() => Outcomes(job, ct), ct).ConfigureAwait(false);
            }
            finally
            {
                free.Release();
            }
        }

        // One bad file fails a whole batch: then each is tried alone, so that only the bad one is missing.
        private static List<Outcome> Outcomes(Job job, CancellationToken ct)
        {
            try
            {
                return [.. job.Make(null, ct).Select(s => new Outcome(s, null))];
            }
            catch (FlamingoException e) when (job.Sounds.Count == 1)
            {
                return [new(null, e.Message)];
            }
            catch (FlamingoException)
            {
                return [.. Enumerable.Range(0, job.Sounds.Count).Select(i => Alone(job, i, ct))];
            }
        }

        private static Outcome Alone(Job job, int sound, CancellationToken ct)
        {
            try
            {
                return new(job.Make(sound, ct)[0], null);
            }
            catch (FlamingoException e)
            {
                return new(null, e.Message);
            }
        }

        private void Write(string id, string split, Outcome outcome)
        {
            if (outcome.Sound is not { } sound)
            {
                Failures.Add(new(id, outcome.Error!));
                return;
            }
            short[] samples = SoundLevel.ToInt16(sound.Samples);
            // Silence that is not asked for: mostly stereo files that use the second channel only.
            if (!samples.AsSpan().ContainsAnyExcept((short)0) && catalogue.Clips.Any(c => c.Id == id))
                Failures.Add(new(id, "Its first channel is silent."));
            else
                sink.Append(id, split, samples, cut: sound.SecondsDropped > 0);
        }
    }

    /// <summary>Work that gives one sound or, where starting a program is dear, several.</summary>
    /// <param name="Sounds">What it gives.</param>
    /// <param name="Make">Makes all of them (null), or one alone (its place).</param>
    private sealed record Job(IReadOnlyList<(string Id, string Split)> Sounds, Func<int?, CancellationToken, Recording[]> Make);

    private sealed record Outcome(Recording? Sound, string? Error);
}
