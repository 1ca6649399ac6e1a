using System.Text.RegularExpressions;
using FlamingoSharp.Training.Evaluation;

namespace FlamingoSharp.Training.Sounds;

/// <summary>Turns labelled sounds and written questions into prompts and answers, all lower-cased.</summary>
/// <remarks>
/// Wordings follow Audio Flamingo's training instructions ("describe the sound in a sentence.", "please answer this question: …",
/// OPTIONS with one choice a line, "use a few labels to describe this sound."). Everything depends on the options, the epoch
/// and the place in the epoch only: the same call gives the same texts on every machine.
/// </remarks>
public sealed partial class TrainingTexts
{
    private const string CaptionTask = "audio captioning", QuestionTask = "audio question answering", LabelTask = "event classification";
    private const string PlainCaption = "describe the sound in a sentence.", LabelList = "use a few labels to describe this sound.";

    /// <summary>What stands before a question.</summary>
    internal const string AskPrefix = "please answer this question: ";

    /// <summary>What the choices begin with.</summary>
    internal const string ChoicesMark = "\nOPTIONS:";

    private static readonly string[] OtherCaptions =
    [
        "what do you hear?", "describe this sound.", "describe the audio.", "what is happening in this recording?",
        "what can be heard?", "write a caption for this sound.", "what is this sound?",
    ];

    // Wrong choices of these types may be any other answer of the type; the rest (up or down, how many) has fixed ones.
    private static readonly HashSet<string> OpenTypes =
        ["sound_class", "instrument", "instrument_family", "language", "foreground", "background"];

    private readonly TrainingTextOptions _options;
    private readonly LabelledSound[] _sounds;
    private readonly Dictionary<string, LabelledSound> _byId;
    private readonly ILookup<string, Question> _questions;
    private readonly Dictionary<string, string[]> _answersOfType;
    private readonly SamplingWeights _weights;
    private readonly Presence _presence;
    private readonly Lazy<PresenceWording> _wording; // only dialogues need it

    /// <summary>Prepares the texts of one split.</summary>
    /// <param name="catalogue">Sounds and questions.</param>
    /// <param name="split">train, val or test.</param>
    /// <param name="isUsable">Leaves sounds out: those that are not prepared, or cut (<see cref="MelStore.IsUsable"/>). Null takes all.</param>
    /// <param name="options">Wording and mixture.</param>
    /// <exception cref="FlamingoException">The split is empty.</exception>
    public TrainingTexts(SoundCatalogue catalogue, string split, Func<LabelledSound, bool>? isUsable = null, TrainingTextOptions? options = null)
    {
        _options = options ?? new();
        _sounds = [.. catalogue.Sounds.Where(s => s.Split == split && (isUsable?.Invoke(s) ?? true))];
        if (_sounds.Length == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"The split '{split}' has no sounds: expected train, val or test, and prepared sounds.");
        _byId = _sounds.ToDictionary(s => s.Id);
        _questions = catalogue.Questions.Where(q => _byId.ContainsKey(q.Ref) && (_options.SpokenWords || q.Type != "transcript"))
            .ToLookup(q => q.Ref);
        _answersOfType = catalogue.Questions.Where(q => OpenTypes.Contains(q.Type)).GroupBy(q => q.Type)
            .ToDictionary(g => g.Key, g => g.Select(q => Lower(q.Answer)).Distinct().ToArray());
        _weights = new(_sounds, _options.Sampling);
        _presence = new(catalogue, _weights);
        _wording = new(() => new(_sounds.SelectMany(s => _questions[s.Id].Where(q => q.Type == "presence" && Lower(q.Answer) == "yes").Select(q => (s.Labels, q.Text)))));
    }

    private string YesOrNo => $"{_options.OptionsHeader}yes.\nno.";

    /// <summary>The sounds of the split.</summary>
    public IReadOnlyList<LabelledSound> Sounds => _sounds;

    /// <summary>How often each sound is drawn.</summary>
    public SamplingWeights Weights => _weights;

    /// <summary>Draws the texts of a training epoch, sounds by their weights and tasks by their shares.</summary>
    /// <param name="epoch">Another epoch draws other sounds, tasks, wordings and orders of choices.</param>
    /// <param name="count">Texts wanted.</param>
    public IEnumerable<TrainingText> Draw(int epoch, int count)
    {
        for (int i = 0; i < count; i++)
            yield return DrawOne(epoch, i);
    }

    /// <summary>The text at one place of an epoch: what <see cref="Draw"/> gives there.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="index">The place, from 0.</param>
    public TrainingText DrawOne(int epoch, int index)
    {
        var random = SplitMix.For("draw", ((ulong)(uint)epoch << 32) | (uint)index);
        return DrawAny(ref random);
    }

    /// <summary>A text about any sound, drawn by the weights and shares.</summary>
    internal TrainingText DrawAny(ref SplitMix random)
    {
        var sound = _weights.Draw(ref random);
        return DrawAbout(sound, _questions[sound.Id], ref random);
    }

    /// <summary>A text about a sound of the split, its task drawn by the shares.</summary>
    internal TrainingText DrawAbout(string id, ref SplitMix random) => DrawAbout(_byId[id], _questions[id], ref random);

    /// <summary>A text about a sound that need not be of the catalogue.</summary>
    /// <param name="sound">What is heard.</param> <param name="questions">What may be asked about it.</param> <param name="random">Draws.</param>
    internal TrainingText DrawAbout(LabelledSound sound, IEnumerable<Question> questions, ref SplitMix random)
    {
        double total = _options.CaptionShare + _options.PresenceShare + _options.QuestionShare + _options.LabelShare;
        double task = random.NextDouble() * total;
        if ((task -= _options.PresenceShare) < 0)
        {
            if (random.NextDouble() < _options.WrittenPresence && Drawn(questions.Where(q => q.Type == "presence"), sound, ref random) is { } written)
                return written;
            if (AskPresence(sound, ref random) is { } asked)
                return asked;
        }
        else if ((task -= _options.QuestionShare) < 0)
        {
            if (Drawn(questions.Where(q => q.Type != "presence"), sound, ref random) is { } written)
                return written;
        }
        else if ((task -= _options.LabelShare) < 0)
        {
            return Labels(sound);
        }
        return Caption(sound, random.NextDouble() < _options.PlainCaptionPrompt ? PlainCaption : OtherCaptions[random.Next(OtherCaptions.Length)]);
    }

    private TrainingText? Drawn(IEnumerable<Question> questions, LabelledSound sound, ref SplitMix random)
    {
        var list = questions.ToList();
        return list.Count > 0 ? Ask(list[random.Next(list.Count)], sound, random.NextDouble() < _options.WithOptions, ref random) : null;
    }

    /// <summary>Whether something is heard in a sound of the split; null where there is nothing to ask.</summary>
    internal TrainingText? AskPresence(string id, ref SplitMix random) => AskPresence(_byId[id], ref random);

    private TrainingText? AskPresence(LabelledSound sound, ref SplitMix random)
    {
        if (_presence.Ask(sound, ref random) is not { } asked)
            return null;
        string choices = random.NextDouble() < _options.WithOptions ? YesOrNo : "";
        return Text(sound.Id, QuestionTask, "presence", AskPrefix + asked.Question + choices, asked.Answer ? "yes" : "no");
    }

    /// <summary>True for answers that <see cref="AskWhetherSo"/> can ask about.</summary>
    internal static bool NamesWhatIsHeard(TrainingText text) => DialogueConsistency.Types.Contains(text.Type);

    /// <summary>Whether what was answered is heard, or something else of that type; null where the answer names nothing that is heard.</summary>
    internal TrainingText? AskWhetherSo(TrainingText first, bool so, ref SplitMix random)
    {
        if (!NamesWhatIsHeard(first))
            return null;
        if (so)
            return Asked(first.Answer, "yes");
        var heard = _byId[first.Id].Labels.Append(first.Answer).SelectMany(AnswerWords.Words).ToHashSet();
        string[] pool = _answersOfType[first.Type];
        for (int attempt = 0; attempt < 20; attempt++)
        {
            string other = pool[random.Next(pool.Length)];
            if (!AnswerWords.HasAny(other, heard))
                return Asked(other, "no");
        }
        return null;

        TrainingText Asked(string label, string answer) => Text(first.Id, QuestionTask, "presence", _wording.Value.Ask(first.Type, label), answer);
    }

    /// <summary>
    /// Every sound's caption and labels and every written question once, in file order and in the plain wording: for validation and tests.
    /// Questions with choices are asked with them.
    /// </summary>
    public IEnumerable<TrainingText> All()
    {
        foreach (var sound in _sounds)
        {
            yield return Caption(sound, PlainCaption);
            yield return Labels(sound);
            foreach (var question in _questions[sound.Id])
            {
                var random = SplitMix.For(question.Id);
                yield return Ask(question, sound, withOptions: true, ref random, newChoices: false);
            }
        }
    }

    private TrainingText Caption(LabelledSound sound, string prompt) => Text(
        sound.Id, CaptionTask, "caption", prompt, _options.SpokenWords ? sound.Caption : QuotedWords().Replace(sound.Caption, " speaks$1"));

    // Keyed labels (language:English, count:3) repeat a plain one or belong to a question.
    private TrainingText Labels(LabelledSound sound) =>
        Text(sound.Id, LabelTask, "labels", LabelList, string.Join(", ", sound.Labels.Where(l => !l.Contains(':'))));

    private TrainingText Ask(Question question, LabelledSound sound, bool withOptions, ref SplitMix random, bool newChoices = true)
    {
        string prompt = AskPrefix + Lower(question.Text);
        string[] choices = [];
        if (question.Type == "presence" && withOptions)
        {
            choices = ["yes", "no"];
            prompt += YesOrNo;
        }
        else if (withOptions && question.Choices.Count > 0)
        {
            choices = [.. question.Choices.Select(Lower)];
            if (newChoices && OpenTypes.Contains(question.Type) && random.NextDouble() < _options.NewChoices)
                choices = NewChoices(question, sound, choices.Length, ref random);
            random.Shuffle<string>(choices);
            prompt += _options.OptionsHeader + string.Join("\n", choices.Select(c => $" - {c}."));
        }
        return Text(question.Ref, QuestionTask, question.Type, prompt, question.Answer) with { Choices = choices };
    }

    private string[] NewChoices(Question question, LabelledSound sound, int count, ref SplitMix random)
    {
        string[] pool = _answersOfType.GetValueOrDefault(question.Type, []);
        HashSet<string> right = [Lower(question.Answer), .. sound.Labels.Select(Lower), .. _questions[sound.Id].Select(q => Lower(q.Answer))];
        List<string> choices = [Lower(question.Answer)];
        for (int attempt = 0; attempt < 100 && choices.Count < count && pool.Length > 0; attempt++)
        {
            string other = pool[random.Next(pool.Length)];
            if (!right.Contains(other) && !choices.Contains(other))
                choices.Add(other);
        }
        return choices.Count == count ? [.. choices] : [.. question.Choices.Select(Lower)];
    }

    private TrainingText Text(string id, string task, string type, string prompt, string answer)
    {
        string full = prompt + _options.AnswerSuffix;
        return new(id, task, type, _options.LowerCaseAll ? Lower(full) : full, Lower(answer).Trim());
    }

    [GeneratedRegex(""" says ".*"(?: in( ))?""")]
    private static partial Regex QuotedWords();

    private static string Lower(string text) => text.ToLowerInvariant();
}
