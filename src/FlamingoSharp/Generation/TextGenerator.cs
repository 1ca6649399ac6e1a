using System.Text;
using FlamingoSharp.Text;

namespace FlamingoSharp.Generation;

/// <summary>A piece of the text of a running generation: whole characters, without special tokens.</summary>
/// <param name="Prompt">Index of the prompt in the batch.</param>
/// <param name="Candidate">Which of the prompt's sequences.</param>
/// <param name="Text">What the text goes on with; empty only at the end.</param>
/// <param name="Finish">Why the sequence ends here; null when it goes on.</param>
public readonly record struct TextDelta(int Prompt, int Candidate, string Text, FinishReason? Finish);

/// <summary>Generates text: <see cref="TokenGenerator"/> with the tokens spelled out as they come, and stop texts.</summary>
internal static class TextGenerator
{
    /// <summary>Answers a batch of prompts; the sequences carry their texts.</summary>
    /// <param name="session">A session that has not run yet, one row a prompt.</param>
    /// <param name="prompts">Each row's tokens.</param>
    /// <param name="options">With stop tokens (<see cref="GenerationOptions.ForModel(SpecialTokens, BeamLengthRule)"/>).</param>
    /// <param name="tokenizer">Spells the tokens.</param>
    /// <param name="context">Most tokens that the model can be fed, prompt included; null for no limit.</param>
    /// <param name="onText">Called on this thread whenever a text goes on or ends.</param>
    /// <param name="cancellation">Checked before every token.</param>
    /// <exception cref="FlamingoException">The options contradict themselves, or a prompt does not fit the context.</exception>
    /// <exception cref="OperationCanceledException">The cancellation was requested.</exception>
    public static GenerationResult Run(
        IDecodingSession session, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, Tokenizer tokenizer,
        int? context = null, Action<TextDelta>? onText = null, CancellationToken cancellation = default)
    {
        var texts = new Dictionary<(int Prompt, int Candidate), RowText>();
        var result = TokenGenerator.Run(session, prompts, options, context, OnToken, cancellation);
        return result with
        {
            Sequences = [.. result.Sequences.Select(s => s with { Text = texts[(s.Prompt, s.Candidate)].Whole })],
        };

        bool OnToken(GeneratedToken token)
        {
            var row = (token.Prompt, token.Candidate);
            if (!texts.TryGetValue(row, out var text))
                texts[row] = text = new RowText(tokenizer.DecodeStream(skipSpecialTokens: true), new StopTextScanner(options.StopStrings));
            var delta = text.Push(token);
            if (delta.Text.Length > 0 || delta.Finish is not null)
                onText?.Invoke(delta);
            return text.Stopped;
        }
    }

    /// <summary>Answers a batch of prompts as the texts come.</summary>
    /// <remarks>
    /// The model runs on a thread of its own, which makes, uses and disposes the session. Leaving the enumeration early stops the
    /// model after the step that it is in.
    /// </remarks>
    /// <param name="start">Makes the session; called on the model's thread.</param>
    /// <param name="prompts">Each row's tokens.</param>
    /// <param name="options">With stop tokens.</param>
    /// <param name="tokenizer">Spells the tokens.</param>
    /// <param name="context">Most tokens that the model can be fed, prompt included; null for no limit.</param>
    /// <param name="cancellation">Checked before every token.</param>
    public static IAsyncEnumerable<TextDelta> StreamAsync(
        Func<CancellationToken, IDecodingSession> start, IReadOnlyList<IReadOnlyList<int>> prompts, GenerationOptions options, Tokenizer tokenizer,
        int? context = null, CancellationToken cancellation = default) =>
        ModelThread.StreamAsync<TextDelta>((emit, stop) =>
        {
            using var session = start(stop);
            Run(session, prompts, options, tokenizer, context, emit, stop);
        }, cancellation);

    /// <summary>The text of one sequence.</summary>
    private sealed class RowText(StreamingDecoder decoder, StopTextScanner scanner)
    {
        private readonly StringBuilder _whole = new();

        public string Whole => _whole.ToString();

        public bool Stopped => scanner.Stopped;

        public TextDelta Push(GeneratedToken token)
        {
            string text = scanner.Push(decoder.Push(token.Id));
            if (token.Finish is not null)
                text += scanner.Push(decoder.Finish()) + scanner.Finish();
            _whole.Append(text);
            return new TextDelta(token.Prompt, token.Candidate, text, scanner.Stopped ? FinishReason.Stop : token.Finish);
        }
    }
}
