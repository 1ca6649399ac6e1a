using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Evaluation;

/// <summary>What a manifest's owner knows about it.</summary>
/// <param name="Name">The manifest, <c>Dataset-Task/split</c>.</param>
/// <param name="PathOf">The file of a recording's name.</param>
internal sealed record ManifestFacts(string Name, Func<string, string> PathOf)
{
    /// <summary>The kind of answer its task wants; null where that follows from its items.</summary>
    public AnswerKind? Kind { get; init; }

    /// <summary>The labels of its task.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>True where its prompts are whole, options included.</summary>
    public bool AsWritten { get; init; }
}

/// <summary>Turns the items of a manifest into rows of questions.</summary>
internal static class EvaluationRows
{
    private const string FreeVariant = "free";

    /// <summary>The rows of a manifest.</summary>
    /// <param name="facts">What is known about it.</param> <param name="manifest">Its items.</param>
    /// <param name="presets">The rows of the papers' tables that it is to be read as; where there is none, each type of question is a row.</param>
    /// <param name="free">Questions with choices are asked a second time without them.</param>
    /// <param name="dialogues">What is heard is also asked in dialogues.</param>
    public static IEnumerable<EvaluationRow> Of(ManifestFacts facts, Manifest manifest, IReadOnlyList<EvaluationPreset> presets, bool free, bool dialogues = false)
    {
        var read = new Reader(facts, manifest);
        return presets.Count == 0 ? read.ByType(free, dialogues) : presets.Select(read.For).Where(r => r.Items.Count > 0);
    }

    private sealed class Reader(ManifestFacts facts, Manifest manifest)
    {
        private readonly string _task = manifest.Task;
        private readonly IReadOnlyList<KeyValuePair<string, DatasetItem>> _all = manifest.Items;

        public IEnumerable<EvaluationRow> ByType(bool free, bool dialogues)
        {
            var affirmed = _all.Select(Last).Where(e => AnswerWords.Normal(e.Output) == "yes").Select(e => (e.Labels, EvaluationWording.QuestionOf(e.Prompt)));
            var wording = dialogues ? new PresenceWording(affirmed) : null;
            foreach (var group in _all.GroupBy(i => (Last(i).Type, Kind: KindOf(Last(i)))))
            {
                // Questions of no type are told apart by the answers that they want, which are scored differently.
                string type = group.Key.Type.Length > 0 ? group.Key.Type : group.Key.Kind == AnswerKind.YesNo ? "yes or no" : "";
                string name = type.Length == 0 ? _task : $"{_task}: {type}";
                EvaluationItem[] items = [.. Items([.. group], group.Key.Kind, null)];
                yield return new(name, group.Key.Kind, items);
                if (free && group.Key.Kind == AnswerKind.Choice)
                    yield return new($"{name}, without choices", AnswerKind.Free, [.. items.Select(WithoutChoices)]);
                if (wording is not null && DialogueConsistency.Asks(group.Key.Type, group.Key.Kind))
                    yield return new($"{name}, in dialogues", AnswerKind.Consistency, [.. DialogueConsistency.Of(items, group.Key.Type, wording)]);
            }
        }

        public EvaluationRow For(EvaluationPreset preset) => new(preset.Title, preset.Kind, [.. Items(Filtered(preset), preset.Kind, preset)]) { Preset = preset };

        private AnswerKind KindOf(Example example) => facts.Kind ?? EvaluationWording.KindOf(_task, example);

        private List<KeyValuePair<string, DatasetItem>> Filtered(EvaluationPreset preset)
        {
            if (preset.Types.Count > 0 && _all.Any(i => Last(i).Type.Length > 0))
                return [.. _all.Where(i => preset.Types.Contains(Last(i).Type, StringComparer.OrdinalIgnoreCase))];
            if (preset.Filter == ItemFilter.None || preset.Mixed != _task)
                return [.. _all];
            // Where several people answered a question, it is asked once; the answer that most of them gave is right.
            return [.. _all.GroupBy(i => (Last(i).Name, Last(i).AudioStart, Last(i).Prompt)).Where(g => Passes(preset.Filter, [.. g.Select(i => Answer(Last(i)))]))
                .Select(g => g.First(i => Answer(Last(i)) == g.CountBy(j => Answer(Last(j))).MaxBy(c => c.Value).Key))];
        }

        private static bool Passes(ItemFilter filter, string[] answers) => filter switch
        {
            ItemFilter.UnanimousYesNo => answers[0] is "yes" or "no" && answers.All(a => a == answers[0]),
            ItemFilter.NonBinary => !answers.All(a => a is "yes" or "no"),
            _ => answers.All(a => a.Length > 0 && a.All(char.IsAsciiDigit)),
        };

        private static string Answer(Example example) => AnswerWords.Normal(example.Output);

        private IEnumerable<EvaluationItem> Items(IReadOnlyList<KeyValuePair<string, DatasetItem>> items, AnswerKind kind, EvaluationPreset? preset)
        {
            IReadOnlyList<string> labels = kind == AnswerKind.Label ? LabelsOf(preset) : [];
            return kind switch
            {
                AnswerKind.Dialogue => items.SelectMany(Turns),
                // Captions of one recording are references of one item.
                AnswerKind.Caption => items.GroupBy(i => (Last(i).Name, Last(i).AudioStart, Last(i).Prompt)).Select(g => Item(
                    g.First(), kind, [], [.. g.SelectMany(i => References(Last(i))).Distinct()], preset)),
                _ => items.Select(i => Item(i, kind, kind switch
                {
                    AnswerKind.Label => labels,
                    AnswerKind.Choice => Last(i).Choices,
                    AnswerKind.YesNo => ["yes", "no"],
                    _ => [],
                }, preset is { Filter: not ItemFilter.None } ? [.. Expected(kind, Last(i)).Take(1)] : Expected(kind, Last(i)), preset)), // of several people most count
            };
        }

        private IReadOnlyList<string> LabelsOf(EvaluationPreset? preset) =>
            preset?.Labels ?? (facts.Labels.Count > 0 ? facts.Labels : EvaluationWording.LabelsOf(_task) is { Count: > 0 } known ? known
                : [.. _all.Select(i => LabelOf(Last(i))).Distinct().Order(StringComparer.Ordinal)]);

        private EvaluationItem Item(
            KeyValuePair<string, DatasetItem> item, AnswerKind kind, IReadOnlyList<string> choices, IReadOnlyList<string> expected, EvaluationPreset? preset)
        {
            var asked = Last(item);
            return new()
            {
                Id = $"{facts.Name}#{item.Key}",
                Task = _task,
                Type = asked.Type,
                Kind = kind,
                Sound = Heard(asked),
                Prompt = EvaluationWording.Of(kind, _task, preset?.Question ?? asked.Prompt, choices, facts.AsWritten && preset?.Question is null),
                Shots = [.. item.Value.Examples.SkipLast(1).Select(s => new ShownExample(
                    Heard(s), new(EvaluationWording.OfShot(kind, _task, preset?.Question ?? s.Prompt, facts.AsWritten), s.Output)))],
                Choice = item.Value.Choice ?? ShotChoice.Random,
                Choices = choices,
                Expected = expected,
                Labels = asked.Labels,
            };
        }

        private IEnumerable<EvaluationItem> Turns(KeyValuePair<string, DatasetItem> item)
        {
            var rounds = Last(item).Dialogue;
            for (int turn = 0; turn < rounds.Count; turn++)
            {
                if (rounds[turn].Assistant is { } said)
                {
                    yield return Item(item, AnswerKind.Dialogue, [], [said], null) with
                    {
                        Id = $"{facts.Name}#{item.Key}/{turn + 1}",
                        Rounds = [.. rounds.Take(turn), rounds[turn] with { Assistant = null }],
                    };
                }
            }
        }

        private EvaluationItem WithoutChoices(EvaluationItem item) => item with
        {
            Id = $"{item.Id}/{FreeVariant}",
            Kind = AnswerKind.Free,
            Choices = [],
            Prompt = EvaluationWording.Of(AnswerKind.Free, _task, item.Prompt.Prompt, [], asWritten: false),
        };

        private HeardPart Heard(Example example) => new(facts.PathOf(example.Name), example.AudioStart, example.AudioDuration);

        private static Example Last(KeyValuePair<string, DatasetItem> item) => item.Value.Examples[^1];

        private static IReadOnlyList<string> References(Example example) => example.References.Count > 0 ? example.References
            : [.. example.Output.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).DefaultIfEmpty("")];

        private static string LabelOf(Example example) => EvaluationWording.Spoken(AnswerWords.Bare(example.Output));

        private static IReadOnlyList<string> Expected(AnswerKind kind, Example example) => kind switch
        {
            AnswerKind.YesNo => [AnswerWords.Normal(example.Output)],
            AnswerKind.Label => [LabelOf(example)],
            AnswerKind.Labels => example.Labels.Where(l => !l.Contains(':')).ToList() is { Count: > 0 } labels ? labels : AnswerWords.Labels(example.Output),
            _ => [.. References(example).Prepend(example.Output).Select(AnswerWords.Bare).Distinct()],
        };
    }
}
