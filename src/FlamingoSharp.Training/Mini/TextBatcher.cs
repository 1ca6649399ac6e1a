using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;
using FlamingoSharp.Training.Sounds;
using static TorchSharp.torch;

namespace FlamingoSharp.Training;

/// <summary>A training text as token ids.</summary>
/// <param name="Source">What was asked of which sound.</param> <param name="Prompt">Ids up to and including <c>&lt;SEP&gt;</c>.</param>
/// <param name="Whole">Prompt, answer and end.</param>
internal sealed record TokenizedText(TrainingText Source, IReadOnlyList<int> Prompt, IReadOnlyList<int> Whole);

/// <summary>Turns training texts into token ids, and lists of them into batches.</summary>
internal sealed class TextBatcher(Tokenizer tokenizer, PromptFormat format, int maxTokens)
{
    private readonly LabelMask _labels = LabelMask.For(tokenizer.Special);

    /// <summary>Spells a text in the model's form; null if it is longer than the model's context.</summary>
    public TokenizedText? Tokenize(TrainingText text)
    {
        string prefix = $"The task is {text.Task}.";
        return Fitting(text, format.Ask(prefix, text.Prompt), format.Ask(prefix, text.Prompt, text.Answer));
    }

    /// <summary>Spells a dialogue of several texts about one sound, all of whose answers are learned; null if it is too long.</summary>
    public TokenizedText? TokenizeDialogue(IReadOnlyList<TrainingText> turns)
    {
        var whole = DialogueFormat.Af1Inference.Render([.. turns.Select(t => new DialogueRound(t.Prompt, t.Answer))]);
        var open = DialogueFormat.Af1Inference.Render([.. turns.Select((t, i) => new DialogueRound(t.Prompt, i < turns.Count - 1 ? t.Answer : null))]);
        return Fitting(turns[0], open, whole);
    }

    /// <summary>Spells a question after examples, whose answers are learned too; null if it is too long.</summary>
    public TokenizedText? TokenizeShots(IReadOnlyList<TrainingText> shots, TrainingText question)
    {
        Prompt Spell(string? answer) => format.FewShot(
            ShotChoice.Similar, $"The task is {question.Task}.", [.. shots.Select(s => new Shot(s.Prompt, s.Answer))], question.Prompt, answer);
        return Fitting(question, Spell(null), Spell(question.Answer));
    }

    private TokenizedText? Fitting(TrainingText source, Prompt open, Prompt whole)
    {
        var ids = whole.Encode(tokenizer);
        return ids.Count > maxTokens ? null : new TokenizedText(source, open.Encode(tokenizer), ids);
    }

    /// <summary>
    /// Draws the batches of an epoch. Texts of similar length go together, so that little is padding; every text drawn is in exactly one.
    /// </summary>
    public IEnumerable<IReadOnlyList<TokenizedText>> Batches(IEnumerable<TrainingText> texts, int size, Random random)
    {
        const int Pool = 16; // batches sorted together
        foreach (var pool in texts.Select(Tokenize).OfType<TokenizedText>().Chunk(size * Pool))
        {
            var batches = pool.OrderBy(t => t.Whole.Count).Chunk(size).ToArray();
            random.Shuffle(batches);
            foreach (var batch in batches)
                yield return batch;
        }
    }

    /// <summary>Ids, mask and labels of a batch, padded on the right.</summary>
    public (Tensor Ids, Tensor Attend, Tensor Labels) ToTensors(IReadOnlyList<TokenizedText> batch)
    {
        int length = batch.Max(t => t.Whole.Count);
        long[][] rows = [.. batch.Select(t => t.Whole.Select(id => (long)id).Concat(Enumerable.Repeat((long)tokenizer.Special.Pad.Id, length - t.Whole.Count)).ToArray())];
        long[][] labels = _labels.Apply(rows);
        var ids = tensor([.. rows.SelectMany(r => r)], [batch.Count, length]);
        return (ids, ids.IsNot(tokenizer.Special.Pad.Id), tensor([.. labels.SelectMany(r => r)], [batch.Count, length]));
    }
}
