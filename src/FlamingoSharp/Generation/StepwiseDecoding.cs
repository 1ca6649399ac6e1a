namespace FlamingoSharp.Generation;

/// <summary>Greedy decoding and sampling: every row chooses its own next token, and leaves the batch when it is finished.</summary>
internal static class StepwiseDecoding
{
    /// <summary>Runs rows to their end.</summary>
    /// <param name="session">A session that has not run yet, one row a prompt.</param>
    /// <param name="rows">The sequences; several may start from one prompt.</param>
    /// <param name="onToken">Called on this thread for every token; answers whether the sequence is to end here.</param>
    /// <param name="clock">Told when the prompts are through and how many tokens came.</param>
    /// <param name="cancellation">Checked before every token.</param>
    public static void Run(
        IDecodingSession session, IReadOnlyList<RowState> rows, Func<GeneratedToken, bool>? onToken, GenerationClock clock, CancellationToken cancellation)
    {
        List<RowState> running = [.. rows];
        var logits = new StepLogits(session.Prefill());
        clock.PrefillDone();
        while (true)
        {
            using (logits)
            {
                foreach (var row in running)
                {
                    var token = row.Advance(logits.Row(row.Slot));
                    if (onToken?.Invoke(token) == true)
                        row.Stop();
                }
            }
            running.RemoveAll(r => r.Finish is not null);
            if (running.Count == 0)
                return;

            cancellation.ThrowIfCancellationRequested();
            Slots.Arrange(session, [.. running.Select(r => (long)r.Slot)]);
            for (int i = 0; i < running.Count; i++)
                running[i].Slot = i;
            logits = new StepLogits(session.Step([.. running.Select(r => (long)r.LastToken)]));
            clock.Decoded(running.Count);
        }
    }
}

/// <summary>Which of a session's rows go on.</summary>
internal static class Slots
{
    /// <summary>Lets row i go on from <paramref name="slots"/>[i], unless that changes nothing.</summary>
    public static void Arrange(IDecodingSession session, ReadOnlySpan<long> slots)
    {
        bool same = slots.Length == session.Rows;
        for (int i = 0; same && i < slots.Length; i++)
            same = slots[i] == i;
        if (!same)
            session.Reorder(slots);
    }
}
