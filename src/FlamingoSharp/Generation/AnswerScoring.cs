using TorchSharp;

namespace FlamingoSharp.Generation;

/// <summary>A prompt and the answers that may follow it, as ids.</summary>
/// <param name="Prompt">The prompt.</param> <param name="Answers">Each with the token that ends it.</param>
internal sealed record AnswerTokens(IReadOnlyList<int> Prompt, IReadOnlyList<IReadOnlyList<int>> Answers)
{
    /// <summary>Tokens of the longest answer.</summary>
    public int Longest { get; } = Answers.Max(a => a.Count);
}

/// <summary>How likely a model is to say given answers.</summary>
/// <remarks>
/// Each prompt runs once; then its row is multiplied and every answer is fed to a row of its own, all tokens in one pass. Shorter answers
/// are filled up behind their end, where nothing that counts can see it.
/// </remarks>
/// <param name="vocabulary">Logits of a token.</param> <param name="context">Most tokens that the model can be fed.</param>
/// <param name="mostTokens">Cached tokens over all rows of a pass; those of Audio Flamingo 1 take 1.6 GB.</param>
internal sealed class AnswerScoring(int vocabulary, int context, int mostTokens = 4096)
{
    private const long MostLogits = 1 << 26; // of a pass, 256 MB

    /// <summary>Divides questions into batches; a question whose answers are too many for a pass is a batch of its own.</summary>
    /// <param name="questions">Numbers of the questions.</param> <param name="tokensOf">Their ids.</param>
    /// <exception cref="FlamingoException">A prompt and one of its answers are longer than the context.</exception>
    public List<List<int>> Batches(IEnumerable<int> questions, Func<int, AnswerTokens> tokensOf)
    {
        var batches = new List<List<int>>();
        int rows = 0, prompt = 0, answer = 0; // of the last batch
        foreach (int question in questions)
        {
            var tokens = tokensOf(question);
            if (!Fits(tokens.Prompt.Count, tokens.Longest))
            {
                throw new FlamingoException(FlamingoErrorKind.Usage,
                    $"The prompt has {tokens.Prompt.Count} tokens and the longest answer {tokens.Longest}, but this model reads at most {context} together. Shorten the question or the answers, or give fewer.");
            }
            int longestPrompt = Math.Max(prompt, tokens.Prompt.Count), longestAnswer = Math.Max(answer, tokens.Longest);
            if (batches.Count == 0 || !Fits(longestPrompt, longestAnswer) || rows + tokens.Answers.Count > RowsAtOnce(longestPrompt, longestAnswer))
            {
                batches.Add([]);
                (rows, longestPrompt, longestAnswer) = (0, tokens.Prompt.Count, tokens.Longest);
            }
            batches[^1].Add(question);
            (rows, prompt, answer) = (rows + tokens.Answers.Count, longestPrompt, longestAnswer);
        }
        return batches;
    }

    /// <summary>Runs a batch.</summary>
    /// <param name="session">A session that has not run yet, one row a prompt, with room for the longest answer.</param>
    /// <param name="questions">One of <see cref="Batches"/>.</param> <param name="cancellation">Checked before each pass.</param>
    /// <returns>For each question the sum of log-probabilities of each answer, and where the time went.</returns>
    public (double[][] Sums, GenerationTiming Timing) Run(
        IDecodingSession session, IReadOnlyList<AnswerTokens> questions, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var noGradient = torch.no_grad();
        var clock = new GenerationClock();
        double[][] sums = [.. questions.Select(q => new double[q.Answers.Count])];
        using (var logits = new StepLogits(session.Prefill()))
        {
            for (int q = 0; q < sums.Length; q++)
            {
                var row = logits.Row(q);
                double all = LogitMath.LogSumExp(row);
                for (int a = 0; a < sums[q].Length; a++)
                    sums[q][a] = row[questions[q].Answers[a][0]] - all;
            }
        }
        clock.PrefillDone();

        (int Question, int Answer)[] pairs = [.. questions.SelectMany((q, i) => Enumerable.Range(0, q.Answers.Count).Select(a => (i, a)))];
        int most = questions.Count > 1 ? pairs.Length : RowsAtOnce(questions[0].Prompt.Count, questions[0].Longest);
        bool spread = false;
        foreach (var pass in pairs.Chunk(most))
        {
            cancellation.ThrowIfCancellationRequested();
            // After the first pass every row holds the one prompt that there is then.
            Slots.Arrange(session, [.. pass.Select((p, i) => spread ? i : (long)p.Question)]);
            spread = true;
            Score(session, [.. pass.Select(p => questions[p.Question].Answers[p.Answer])], (row, sum) => sums[pass[row].Question][pass[row].Answer] += sum);
            session.Rewind();
            clock.Decoded(pass.Sum(p => questions[p.Question].Answers[p.Answer].Count));
        }
        return (sums, clock.Read());
    }

    /// <summary>Feeds each row its answer but for the last token, and sums what follows each.</summary>
    private static void Score(IDecodingSession session, IReadOnlyList<int>[] answers, Action<int, double> add)
    {
        int t = answers.Max(a => a.Count) - 1;
        if (t == 0)
            return;
        long[] fed = new long[answers.Length * t];
        for (int row = 0; row < answers.Length; row++)
        {
            for (int i = 0; i < t; i++)
                fed[(row * t) + i] = answers[row][Math.Min(i, answers[row].Count - 1)];
        }
        using var logits = new StepLogits(session.Step(fed));                    // [rows * t, v]
        for (int row = 0; row < answers.Length; row++)
        {
            double sum = 0;
            for (int i = 1; i < answers[row].Count; i++)
            {
                var after = logits.Row((row * t) + i - 1);
                sum += after[answers[row][i]] - LogitMath.LogSumExp(after);
            }
            add(row, sum);
        }
    }

    private bool Fits(int prompt, int answer) => prompt + answer - 1 <= context;

    private int RowsAtOnce(int prompt, int answer) =>
        (int)Math.Clamp(MostLogits / ((long)vocabulary * answer), 1, Math.Max(1, mostTokens / (prompt + answer)));
}
