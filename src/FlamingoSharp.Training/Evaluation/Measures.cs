namespace FlamingoSharp.Training.Evaluation;

/// <summary>The measures of reports: their names, definitions and versions, and those that are not taken.</summary>
internal static class Measures
{
    public const string Exact = "exact", Contains = "contains", NearestLabel = "nearest_label", OptionTokens = "option_tokens", BalancedAccuracy = "balanced_accuracy",
        MacroRecall = "macro_recall", MacroF1 = "macro_f1", MicroF1 = "micro_f1", Map = "map", F1Approx = "f1_approx", CiderD = "cider_d", RougeL = "rouge_l",
        Consistent = "consistent", AffirmsOwn = "affirms_own", DeniesOther = "denies_other", Repeats = "repeats", SameAlone = "same_alone", NamesIt = "names_it", Likeliest = "likeliest", Unparsed = "unparsed";

    /// <summary>What each measure is, and the version of its definition here: a changed number with the same version is a changed model.</summary>
    public static IReadOnlyDictionary<string, string> Definitions { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        [Exact] = "v1: share of answers that are the right one after lower-casing and removal of marks; with choices, of answers that are the right choice by its words or its letter; of label lists, of answers with exactly the right labels",
        [Contains] = "v1: share of answers that hold the right one as words",
        [NearestLabel] = "v1: share of answers whose most similar label, by the embedder named here, is the right one",
        [OptionTokens] = "v1: MMAU's rule: all words of the right choice, none that only others have",
        [BalancedAccuracy] = "v1: mean of the shares of yes and of no that were answered rightly; an answer that is neither is wrong",
        [Likeliest] = "v1: share of questions whose right choice the model finds likeliest: by the sum of its tokens' log-probabilities, up to the end of the answer, among the choices",
        [MacroRecall] = "v1: mean over the right answers of the share of their items that were answered rightly",
        [MacroF1] = "v1: mean of F1 over the answers, or labels, that are right somewhere",
        [MicroF1] = "v1: F1 of all labels of all items together",
        [Map] = "v1: mean over labels of average precision (scikit-learn's definition), a label's score being its highest similarity, by the embedder named here, to a label of the answer",
        [F1Approx] = "v1: Audio Flamingo 1's: the right labels as one sentence, a hit being a cosine above 0.8 by the embedder named here",
        [CiderD] = "v1: CIDEr-D after PTB tokenisation",
        ["bleu"] = "v1: BLEU-1 to BLEU-4 of the set after PTB tokenisation, closest reference length, coco-caption's guards",
        [RougeL] = "v1: ROUGE-L, beta 1.2, after PTB tokenisation",
        [Consistent] = "v1: share of dialogues in which the model, asked in the second turn whether its own first answer is heard, says yes, and in another such dialogue says no to another label of that type, which is not heard; what always says yes, or no, gets 0",
        [AffirmsOwn] = "v1: share of dialogues in which the model says yes to its own first answer",
        [DeniesOther] = "v1: share of dialogues in which the model says no to another label, which is not heard",
        [Repeats] = "v1: share of dialogues in which the first question asked again in the second turn gets the same answer",
        [SameAlone] = "v1: share of the second turns' yes and no that the same question gets when it is asked alone",
        [NamesIt] = "v1: share of captions that hold one of the sound's labels as words",
        [Unparsed] = "v1: share of answers that are none of the choices or, where there are none, no right answer of any item of the row; of texts, of empty ones",
    };

    /// <summary>What reports of captions elsewhere have and this one has not.</summary>
    public static IReadOnlyDictionary<string, string> NotComputed { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        ["METEOR"] = "not computed: needs the original program with its paraphrase tables",
        ["SPICE"] = "not computed: needs the original scene-graph parser",
        ["SPIDEr"] = "not computed: needs SPICE",
    };

    /// <summary>BLEU-n.</summary>
    public static string Bleu(int n) => FormattableString.Invariant($"bleu_{n}");

    /// <summary>The measure that a row is summed up by.</summary>
    public static string Headline(AnswerKind kind) => kind switch
    {
        AnswerKind.Caption or AnswerKind.Dialogue => CiderD,
        AnswerKind.Labels => MicroF1,
        AnswerKind.YesNo => BalancedAccuracy,
        AnswerKind.Consistency => Consistent,
        _ => Exact,
    };

    /// <summary>True for shares, which papers print in percent.</summary>
    public static bool IsShare(string name) => name is not CiderD and not RougeL && !name.StartsWith("bleu", StringComparison.Ordinal);
}
