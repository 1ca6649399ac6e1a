using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Journals;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>A prompt and its sounds as a model is given them; questions with the same key are the same, whichever rows they stand in.</summary>
/// <param name="Key">Stands for prompt and sounds.</param> <param name="Id">One of the items that it belongs to.</param>
/// <param name="Prompt">What the model reads.</param> <param name="Text">The same, spelled out.</param> <param name="Sounds">What it hears.</param>
internal sealed record EvaluationQuestion(string Key, string Id, Prompt Prompt, string Text, IReadOnlyList<HeardPart> Sounds)
{
    /// <summary>The answers to choose from; none where the answer is free.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>The questions about the same sounds that follow from the answer.</summary>
    public Func<string, IReadOnlyList<EvaluationQuestion>> Next { get; init; } = _ => [];

    /// <summary>The question of an item in a model's form.</summary>
    public static EvaluationQuestion Of(EvaluationItem item, FlamingoConfig config, Tokenizer tokenizer)
    {
        var prompt = item.PromptFor(config.Prompts);
        string text = prompt.Show(tokenizer);
        HeardPart[] sounds = [.. item.Sounds];
        string all = FormattableString.Invariant($"{text}\n{string.Join('\n', sounds.Select(s => FormattableString.Invariant($"{s.Path}|{s.Start:R}|{s.Duration:R}")))}");
        return new(Fingerprint.OfText(all)[..24], item.Id, prompt, text, sounds)
        {
            Choices = item.Choices,
            Next = item.Plan is null ? _ => [] : answer => DialogueConsistency.After(answer, item, config, tokenizer),
        };
    }
}
