using FlamingoSharp.Text;
using TorchSharp;

namespace FlamingoSharp.Generation;

/// <summary>Generates: checks the request, picks the search, runs it over a session, collects the sequences.</summary>
internal static class TokenGenerator
{
    /// <summary>Answers a batch of prompts.</summary>
    /// <param name="session">A session that has not run yet, one row a prompt.</param>
    /// <param name="prompts">Each row's tokens.</param>
    /// <param name="options">With stop tokens (<see cref="GenerationOptions.ForModel(SpecialTokens, BeamLengthRule)"/>).</param>
    /// <param name="context">Most tokens that the model can be fed, prompt included; null for no limit.</param>
    /// <param name="onToken">
    /// Called on this thread for every token; answers whether the sequence is to end here. Beam search knows its answer at the end
    /// only, and calls it then.
    /// </param>
    /// <param name="cancellation">Checked before every token.</param>
    /// <exception cref="FlamingoException">The options contradict themselves, or a prompt does not fit the context.</exception>
    /// <exception cref="OperationCanceledException">The cancellation was requested.</exception>
    public static GenerationResult Run(
        IDecodingSession session, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options,
        int? context = null, Func<GeneratedToken, bool>? onToken = null, CancellationToken cancellation = default)
    {
        options.Validate();
        if (options.StopTokens is null)
            throw new ArgumentException($"The stop tokens are not known: call {nameof(GenerationOptions.ForModel)} first.", nameof(options));
        if (onToken is null)
            RefuseStopTexts(options);
        if (prompts.Count != session.Rows)
            throw new ArgumentException($"There are {prompts.Count} prompts, but the session has {session.Rows} rows.", nameof(prompts));
        cancellation.ThrowIfCancellationRequested();

        long seed = options.Seed ?? Random.Shared.NextInt64();
        int[] most = [.. prompts.Select(p => MostTokens(p.Count, options.MaxNewTokens, context))];
        var clock = new GenerationClock();
        using var noGradient = torch.no_grad();
        List<GeneratedSequence> sequences;
        if (options.NumBeams > 1)
        {
            BeamGroup[] groups = [.. prompts.Select((p, i) => new BeamGroup(i, p, options, most[i]))];
            BeamSearch.Run(session, groups, clock, cancellation);
            sequences = [.. groups.SelectMany(g => g.Best())];
            if (onToken is not null)
                Replay(sequences, onToken);
        }
        else
        {
            RowState[] rows = [.. prompts.SelectMany((p, i) =>
                Enumerable.Range(0, options.NumReturnSequences).Select(n => new RowState(i, n, p, options, seed, most[i])))];
            StepwiseDecoding.Run(session, rows, onToken, clock, cancellation);
            sequences = [.. rows.Select(r => r.ToSequence())];
        }
        return new GenerationResult { Sequences = sequences, Timing = clock.Read(), Seed = seed };
    }

    /// <summary>Answers a batch of prompts token by token.</summary>
    /// <remarks>
    /// The model runs on a thread of its own, which makes, uses and disposes the session. Leaving the enumeration early stops the
    /// model after the step that it is in. Stop texts are <see cref="TextGenerator"/>'s.
    /// </remarks>
    /// <param name="start">Makes the session; called on the model's thread.</param>
    /// <param name="prompts">Each row's tokens.</param>
    /// <param name="options">With stop tokens.</param>
    /// <param name="context">Most tokens that the model can be fed, prompt included; null for no limit.</param>
    /// <param name="cancellation">Checked before every token.</param>
    public static IAsyncEnumerable<GeneratedToken> StreamAsync(
        Func<CancellationToken, IDecodingSession> start, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options,
        int? context = null, CancellationToken cancellation = default)
    {
        RefuseStopTexts(options);
        return ModelThread.StreamAsync<GeneratedToken>((emit, stop) =>
        {
            using var session = start(stop);
            Run(session, prompts, options, context, token =>
            {
                emit(token);
                return false;
            }, stop);
        }, cancellation);
    }

    private static void RefuseStopTexts(GenerationOptions options)
    {
        if (options.StopStrings.Count > 0)
            throw new ArgumentException($"Tokens alone show no stop texts: use {nameof(TextGenerator)}.", nameof(options));
    }

    /// <summary>The last token is never fed, so one more than the free positions can be generated.</summary>
    private static int MostTokens(int prompt, int wanted, int? context)
    {
        if (prompt == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, "The prompt is empty, so there is nothing to go on from: give it at least one token.");
        if (context is not { } limit)
            return wanted;
        return prompt <= limit
            ? Math.Min(wanted, limit - prompt + 1)
            : throw new FlamingoException(FlamingoErrorKind.Usage,
                $"The prompt has {prompt} tokens, but this model reads at most {limit}: shorten the text, or give fewer examples.");
    }

    private static void Replay(List<GeneratedSequence> sequences, Func<GeneratedToken, bool> onToken)
    {
        foreach (var sequence in sequences)
        {
            for (int i = 0; i < sequence.GeneratedIds.Count; i++)
            {
                bool last = i == sequence.GeneratedIds.Count - 1;
                onToken(new GeneratedToken(sequence.Prompt, sequence.Candidate, i, sequence.GeneratedIds[i], last ? sequence.Finish : null));
            }
        }
    }
}
