using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Sounds;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>What a dialogue's second turns are about.</summary>
/// <param name="Type">The type of the first question, e.g. <c>sound_class</c>.</param> <param name="Wording">How one asks whether something is heard.</param>
/// <param name="Others">Labels of the same type that the sound has not, in the order in which they are tried.</param>
internal sealed record DialoguePlan(string Type, PresenceWording Wording, IReadOnlyList<string> Others)
{
    /// <summary>A label that has no word of an answer; null where every one has.</summary>
    public string? OtherThan(string answer)
    {
        var said = AnswerWords.Words(answer).ToHashSet();
        return Others.FirstOrDefault(o => !AnswerWords.HasAny(o, said));
    }
}

/// <summary>
/// Whether a model stands by its answers: it says what it hears, and is then asked, in dialogues that begin so, whether it hears that, whether it hears
/// something else, and the first question again; and the two questions about presence alone as well.
/// </summary>
internal static class DialogueConsistency
{
    private const int Own = 0, Other = 1, Again = 2, OwnAlone = 3, OtherAlone = 4;

    private static readonly string[] s_names = ["own", "other", "again", "own-alone", "other-alone"];

    /// <summary>Types of open questions after which one can ask whether the answer is heard.</summary>
    public static IReadOnlyList<string> Types { get; } = ["sound_class", "instrument", "language"];

    /// <summary>True for rows that become dialogues.</summary>
    public static bool Asks(string type, AnswerKind kind) => Types.Contains(type) && kind is AnswerKind.Choice or AnswerKind.Free;

    /// <summary>The dialogues about the items of a row.</summary>
    public static IEnumerable<EvaluationItem> Of(IReadOnlyList<EvaluationItem> items, string type, PresenceWording wording)
    {
        string[] labels = [.. items.Select(i => i.Expected[0]).Distinct().Order(StringComparer.Ordinal)];
        foreach (var item in items)
        {
            var heard = item.Labels.Concat(item.Expected).SelectMany(AnswerWords.Words).ToHashSet();
            string[] others = [.. labels.Where(l => !AnswerWords.HasAny(l, heard)).OrderBy(l => SplitMix.For($"{item.Id} {l}").Next())];
            yield return item with
            {
                Id = $"{item.Id}/dialogue",
                Kind = AnswerKind.Consistency,
                Choices = [],
                Rounds = [new(EvaluationWording.QuestionOf(item.Prompt.Prompt))],
                Plan = new(type, wording, others),
            };
        }
    }

    /// <summary>The questions that follow from the first answer; none where it says nothing, or there is nothing else to ask about.</summary>
    public static IReadOnlyList<EvaluationQuestion> After(string answer, EvaluationItem item, FlamingoConfig config, Tokenizer tokenizer)
    {
        string said = AnswerWords.Bare(answer);
        if (AnswerWords.Words(said).Count == 0 || item.Plan!.OtherThan(said) is not { } other)
            return [];
        DialogueRound first = item.Rounds[0] with { Assistant = answer };
        string own = item.Plan.Wording.Ask(item.Plan.Type, said), denied = item.Plan.Wording.Ask(item.Plan.Type, other);
        EvaluationItem Then(string question) => item with { Rounds = [first, new(question)] };
        EvaluationItem Alone(string question) => item with { Rounds = [], Prompt = TaskPrompts.YesOrNo(question) with { Prefix = item.Prompt.Prefix } };
        EvaluationItem[] next = [Then(own), Then(denied), Then(first.User), Alone(own), Alone(denied)];
        return [.. next.Select((n, i) => EvaluationQuestion.Of(n with { Id = $"{item.Id}/{s_names[i]}", Plan = null }, config, tokenizer))];
    }

    /// <summary>What the dialogues of a row come to, and each of them.</summary>
    /// <param name="row">Its items are answered.</param> <param name="questions">By the items' ids.</param> <param name="answers">By the questions' keys.</param>
    public static (RowScore Score, IReadOnlyList<Prediction> Dialogues) Score(
        EvaluationRow row, IReadOnlyDictionary<string, EvaluationQuestion> questions, IReadOnlyDictionary<string, AnswerRecord> answers)
    {
        var talks = row.Items.Select(item => new Talk(item, questions[item.Id], answers)).ToList();
        double Share(Func<Talk, bool> holds) => talks.Average(t => holds(t) ? 1.0 : 0);
        var score = new RowScore(
        [
            new(Measures.Consistent, Share(t => t.Affirms && t.Denies)),
            new(Measures.AffirmsOwn, Share(t => t.Affirms)),
            new(Measures.DeniesOther, Share(t => t.Denies)),
            new(Measures.Repeats, Share(t => t.Repeats)),
            new(Measures.SameAlone, talks.Average(t => t.SameAlone)),
            new(Measures.Exact, Share(t => t.IsRight)),
            new(Measures.Unparsed, talks.Average(t => t.Unparsed)),
        ], null);
        return (score, [.. talks.Select(t => t.Show())]);
    }

    private sealed class Talk(EvaluationItem item, EvaluationQuestion question, IReadOnlyDictionary<string, AnswerRecord> answers)
    {
        private readonly string _first = answers[question.Key].Answer;
        private readonly string[] _then = [.. question.Next(answers[question.Key].Answer).Select(n => answers[n.Key].Answer)];

        public bool Affirms => Said(Own) == "yes";

        public bool Denies => Said(Other) == "no";

        public bool Repeats => _then.Length > 0 && AnswerWords.Normal(_then[Again]) == AnswerWords.Normal(_first);

        public bool IsRight => RowScorer.IsRight(item with { Kind = AnswerKind.Free }, _first);

        public double SameAlone => ((Said(Own) is { } own && own == Said(OwnAlone) ? 1 : 0) + (Said(Other) is { } other && other == Said(OtherAlone) ? 1 : 0)) / 2.0;

        public double Unparsed => ((Said(Own) is null ? 1 : 0) + (Said(Other) is null ? 1 : 0)) / 2.0;

        public Prediction Show()
        {
            string said = AnswerWords.Bare(_first), asked = item.Rounds[0].User;
            string then = _then.Length == 0 ? "" : $" | {item.Plan!.Wording.Ask(item.Plan.Type, said)} {_then[Own]} | {item.Plan.Wording.Ask(item.Plan.Type, item.Plan.OtherThan(said)!)} {_then[Other]} | {asked} {_then[Again]}";
            return new(item.Id, item.Sound.Path, asked, string.Join(" | ", item.Expected), _first + then, Affirms && Denies);
        }

        private string? Said(int which) => _then.Length == 0 ? null : AnswerWords.YesOrNo(_then[which]);
    }
}
