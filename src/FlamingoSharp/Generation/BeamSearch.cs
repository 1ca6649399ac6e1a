namespace FlamingoSharp.Generation;

/// <summary>Beam search over a batch; the beams of one prompt are independent of those of the others.</summary>
/// <remarks>
/// The reference can only search for one prompt at a time. Each prompt runs once in the prefill and is multiplied afterwards,
/// which gives the same numbers as running it K times.
/// </remarks>
internal static class BeamSearch
{
    /// <summary>Runs the groups to their end.</summary>
    /// <param name="session">A session that has not run yet, one row a prompt.</param>
    /// <param name="groups">The beams of each prompt, in the order of the session's rows.</param>
    /// <param name="clock">Told when the prompts are through and how many tokens came.</param>
    /// <param name="cancellation">Checked before every token.</param>
    public static void Run(IDecodingSession session, IReadOnlyList<BeamGroup> groups, GenerationClock clock, CancellationToken cancellation)
    {
        List<BeamGroup> running = [.. groups];
        var logits = new StepLogits(session.Prefill());
        clock.PrefillDone();
        while (true)
        {
            using (logits)
            {
                foreach (var group in running)
                    group.Advance(logits);
            }
            running.RemoveAll(g => g.Done);
            if (running.Count == 0)
                return;

            cancellation.ThrowIfCancellationRequested();
            Beam[] beams = [.. running.SelectMany(g => g.Beams)];
            Slots.Arrange(session, [.. beams.Select(b => (long)b.Slot)]);
            for (int i = 0; i < beams.Length; i++)
                beams[i].Slot = i;
            logits = new StepLogits(session.Step([.. beams.Select(b => (long)b.Tokens!.Token)]));
            clock.Decoded(beams.Length);
        }
    }
}
