namespace FlamingoSharp.Hub;

/// <summary>A failure that may pass: a broken connection, a busy hub.</summary>
internal sealed class PassingHubException(string message, TimeSpan? pause = null, Exception? inner = null)
    : FlamingoException(FlamingoErrorKind.Model, message, inner)
{
    /// <summary>How long the hub asks to be left alone; null where it says nothing.</summary>
    public TimeSpan? Pause { get; } = pause;
}

/// <summary>Tries again what may pass, with longer and longer pauses.</summary>
internal sealed class HubRetry(HubOptions options, Action<string>? note)
{
    /// <summary>Works until it succeeds, fails for good, or has failed too often in a row.</summary>
    /// <param name="work">One try.</param>
    /// <param name="come">How far the work has come; a try that came further is no failure in a row.</param>
    /// <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">The last try's reason.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> work, Func<long>? come, CancellationToken cancellation)
    {
        long reached = come?.Invoke() ?? 0;
        for (int failures = 0; ;)
        {
            PassingHubException error;
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (PassingHubException e)
            {
                error = e;
            }
            long now = come?.Invoke() ?? 0;
            failures = now > reached ? 1 : failures + 1;
            reached = Math.Max(reached, now);
            var pause = error.Pause ?? TimeSpan.FromTicks((long)Math.Min(options.LongestPause.Ticks, options.FirstPause.Ticks * Math.Pow(2, failures - 1)));
            if (failures > options.Retries || pause > options.LongestPause)
                throw new FlamingoException(error.Kind, error.Message, error);
            note?.Invoke(pause.TotalSeconds < 0.1 ? $"{error.Message} Trying again." : FormattableString.Invariant($"{error.Message} Trying again in {pause.TotalSeconds:0.#} s."));
            await Task.Delay(pause, cancellation).ConfigureAwait(false);
        }
    }
}
