using System.Runtime.CompilerServices;
using FlamingoSharp.Audio;
using FlamingoSharp.Generation;
using FlamingoSharp.Models;
using FlamingoSharp.Runtime;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp;

/// <summary>How a model is loaded.</summary>
public sealed record FlamingoLoadOptions
{
    /// <summary>Where it runs: <c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Element type of weights and activations.</summary>
    public ScalarType Type { get; init; } = ScalarType.Float32;

    /// <summary>
    /// Windows heard of a sound at most, if another number than the model's own: 30 make Audio Flamingo 2 hear 5 minutes. Weights do not
    /// depend on it.
    /// </summary>
    public int? MaxWindows { get; init; }

    /// <summary>Windows encoded together; null chooses by the size of the encoder. More may be faster on a GPU, and take more memory.</summary>
    public int? WindowsAtOnce { get; init; }

    /// <summary>The user's own libtorch; null takes FLAMINGO_LIBTORCH, then the packaged one.</summary>
    public string? LibTorchFolder { get; init; }
}

/// <summary>
/// A loaded model: load once, hear sounds, ask about them. Safe for concurrent use; requests take turns.
/// </summary>
/// <example><code>
/// using var flamingo = Flamingo.Load("models/flamingo-mini");
/// using var sound = flamingo.Hear("samples/rain.wav");
/// Console.WriteLine(flamingo.Caption(sound).Text);
/// </code></example>
public sealed partial class Flamingo : IDisposable
{
    private readonly FlamingoModel _model;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SoundEncoder _encoder;

    private Flamingo(FlamingoConfig config, Tokenizer tokenizer, FlamingoModel model, SoundEncoder encoder) =>
        (Config, Tokenizer, _model, _encoder) = (config, tokenizer, model, encoder);

    /// <summary>What the model is.</summary>
    public FlamingoConfig Config { get; }

    /// <summary>How it reads and writes.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Loads a model folder: config.json, tokenizer, safetensors.</summary>
    /// <param name="folder">The folder; <c>flamingo convert</c> makes one from published checkpoints.</param>
    /// <param name="options">Device and element type.</param>
    /// <param name="progress">Told of each tensor.</param>
    /// <exception cref="FlamingoException">The folder is missing, incomplete or corrupt, its parts do not fit, or the device cannot be used.</exception>
    public static Flamingo Load(string folder, FlamingoLoadOptions? options = null, IProgress<WeightProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        options ??= new();
        if (options.WindowsAtOnce < 1)
            throw new FlamingoException(FlamingoErrorKind.Usage, $"WindowsAtOnce is {options.WindowsAtOnce}, but at least 1 window must be encoded at a time.");
        var files = ModelFolder.Open(folder);
        var config = FlamingoConfig.Load(files.ConfigPath);
        if (options.MaxWindows is { } windows)
            config = config.WithMaxWindows(windows);
        var tokenizer = Tokenizer.Load(files.TokenizerFolder);
        if (tokenizer.VocabularySize > config.Language.VocabularySize)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{folder}': the tokenizer has {tokenizer.VocabularySize} tokens but the language model only {config.Language.VocabularySize} rows. The two do not belong together.");
        }
        NativeRuntime.EnsureLoaded(options.LibTorchFolder);
        var device = Devices.Parse(options.Device);
        var model = config.Build(tokenizer.Special.Audio.Id);
        try
        {
            using var weights = files.OpenWeights();
            ModuleWeights.Fill(model, weights, type: options.Type, device: device, progress: progress);
        }
        catch
        {
            model.Dispose();
            throw;
        }
        model.eval();
        return new Flamingo(config, tokenizer, model, new SoundEncoder(model, config.Windows, options.WindowsAtOnce ?? config.Encoder.WindowsAtOnce, device));
    }

    /// <summary>Reads and encodes a sound file of any format, rate and channel count.</summary>
    /// <param name="path">The file.</param>
    /// <param name="startSeconds">Seconds skipped.</param> <param name="durationSeconds">Seconds heard at most; null hears what fits the model.</param>
    /// <param name="progress">Told how many windows are encoded, from none to all.</param>
    /// <param name="cancellation">Stops between windows.</param>
    /// <remarks>The same file gives the same sound, bit for bit. Beside one channel of the part heard, memory holds a few windows at a time.</remarks>
    /// <exception cref="FlamingoException">The file is missing, empty, or no sound.</exception>
    public Sound Hear(
        string path, double startSeconds = 0, double? durationSeconds = null, IProgress<HearingProgress>? progress = null, CancellationToken cancellation = default) =>
        Hear(SoundFile.Load(path, SoundOptions.For(Config.Windows, startSeconds, durationSeconds), cancellation), progress, cancellation);

    /// <summary>Encodes a recording at the model's rate (<see cref="SoundOptions.For"/>).</summary>
    /// <inheritdoc cref="Hear(string, double, double?, IProgress{HearingProgress}?, CancellationToken)" path="/param"/>
    /// <exception cref="FlamingoException">The recording has another rate.</exception>
    public Sound Hear(Recording recording, IProgress<HearingProgress>? progress = null, CancellationToken cancellation = default)
    {
        var windows = AudioWindows.Cut(recording, Config.Windows with { PadToMaxWindows = false, Slots = 1 });
        return InTurn(() => new Sound(recording, windows, _encoder.Encode(windows, progress, cancellation)), cancellation);
    }

    /// <summary>Describes a sound in a sentence.</summary>
    public Answer Caption(Sound sound, GenerationOptions? options = null, CancellationToken cancellation = default) =>
        Ask(TaskPrompts.Caption, sound, options, cancellation);

    /// <summary>Answers a question about a sound.</summary>
    /// <exception cref="FlamingoException">The question is empty, or longer than the model's context.</exception>
    public Answer Ask(Sound sound, string question, GenerationOptions? options = null, CancellationToken cancellation = default) =>
        Ask(TaskPrompts.Question(question), sound, options, cancellation);

    /// <summary>Carries out a task on a sound.</summary>
    /// <exception cref="FlamingoException">The prompt is longer than the model's context.</exception>
    public Answer Ask(TaskPrompt task, Sound sound, GenerationOptions? options = null, CancellationToken cancellation = default) =>
        Answer([new Question(Config.Prompts.Ask(task), sound)], options, cancellation)[0];

    /// <summary>Answers questions together, as one batch; each answer is the one that the question alone would get.</summary>
    /// <param name="questions">Any prompts, about any sounds heard by this model.</param>
    /// <param name="options">Null takes <see cref="FlamingoConfig.Generation"/>: greedy.</param> <param name="cancellation">Checked before every token.</param>
    /// <exception cref="FlamingoException">The options contradict themselves, or a prompt does not fit the context.</exception>
    public IReadOnlyList<Answer> Answer(IReadOnlyList<Question> questions, GenerationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        var answers = new Answer[questions.Count];
        foreach (var group in Enumerable.Range(0, questions.Count).GroupBy(i => _encoder.Slots(questions[i])))
        {
            int[] members = [.. group];
            var batch = members.Select(i => questions[i]).ToList();
            var ids = batch.Select(Encode).ToList();
            var result = InTurn(() =>
            {
                using var scope = NewDisposeScope();
                using var session = Start(batch, ids, Complete(options));
                return TextGenerator.Run(session, ids, Complete(options), Tokenizer, _model.Language.MaxTokens, cancellation: cancellation);
            }, cancellation);
            foreach (var sequences in result.Sequences.GroupBy(s => s.Prompt))
            {
                answers[members[sequences.Key]] = AnswerOf(batch[sequences.Key], ids[sequences.Key].Count, result, sequences);
            }
        }
        return answers;
    }

    /// <summary>Chooses the answer to a task by likelihood: always one of <see cref="TaskPrompt.Answers"/>, with the probabilities of all.</summary>
    /// <exception cref="FlamingoException">The task has no answers to choose from, or is longer than the model's context.</exception>
    /// <example><code>
    /// var choice = flamingo.Choose(TaskPrompts.Classify(["rain", "thunder", "car horn"]), sound);
    /// Console.WriteLine($"{choice.Text}, {choice.Best.Probability:p0}");
    /// </code></example>
    public Choice Choose(TaskPrompt task, Sound sound, ChoiceOptions? options = null, CancellationToken cancellation = default) =>
        Choose([ChoiceQuestion.Of(task, Config.Prompts, sound)], options, cancellation)[0];

    /// <summary>Chooses one of the answers given, by likelihood; the prompt need not list them.</summary>
    /// <exception cref="FlamingoException">There is no answer, one is empty or occurs twice, or prompt and answer are longer than the model's context.</exception>
    public Choice Choose(Question question, IReadOnlyList<string> answers, ChoiceOptions? options = null, CancellationToken cancellation = default) =>
        Choose([new ChoiceQuestion(question, answers)], options, cancellation)[0];

    /// <summary>Chooses an answer to each question, in batches; each choice is the one that the question alone would get.</summary>
    /// <param name="questions">Any prompts and answers, about any sounds heard by this model. Each prompt is run once, for all its answers.</param>
    /// <param name="options">Null sums the log-probabilities of an answer's tokens.</param> <param name="cancellation">Checked between batches.</param>
    /// <exception cref="FlamingoException">A prompt and one of its answers are longer than the model's context.</exception>
    public IReadOnlyList<Choice> Choose(IReadOnlyList<ChoiceQuestion> questions, ChoiceOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(questions);
        var choices = new Choice[questions.Count];
        var encoded = questions.Select(q => new AnswerTokens(Encode(q.Question), [.. q.Written.Select(a => Config.Prompts.EncodeAnswer(a, Tokenizer))])).ToList();
        var scoring = new AnswerScoring(_model.Language.VocabularySize, _model.Language.MaxTokens);
        foreach (var group in Enumerable.Range(0, questions.Count).GroupBy(i => _encoder.Slots(questions[i].Question)))
        {
            foreach (var members in scoring.Batches(group, i => encoded[i]))
            {
                var batch = members.Select(i => encoded[i]).ToList();
                var generation = Complete(Config.Generation with { MaxNewTokens = batch.Max(b => b.Longest), ReferenceFewShotBug = false });
                var (sums, timing) = InTurn(() =>
                {
                    using var scope = NewDisposeScope();
                    using var session = Start([.. members.Select(i => questions[i].Question)], [.. batch.Select(b => b.Prompt)], generation);
                    return scoring.Run(session, batch, cancellation);
                }, cancellation);
                for (int n = 0; n < members.Count; n++)
                    choices[members[n]] = Choice.Of(questions[members[n]], batch[n], sums[n], options ?? new(), timing);
            }
        }
        return choices;
    }

    /// <summary>Answers one question, handing out the text as it comes, in whole characters.</summary>
    /// <param name="question">What is asked.</param> <param name="options">Null takes <see cref="FlamingoConfig.Generation"/>: greedy.</param>
    /// <param name="cancellation">Checked before every token; leaving the enumeration early stops the model too.</param>
    /// <exception cref="FlamingoException">The options contradict themselves, or the prompt does not fit the context.</exception>
    public async IAsyncEnumerable<TextDelta> StreamAsync(
        Question question, GenerationOptions? options = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(question);
        var ids = Encode(question);
        var complete = Complete(options);
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var deltas = TextGenerator.StreamAsync(
                _ => Start([question], [ids], complete), [ids], complete, Tokenizer, _model.Language.MaxTokens, cancellation);
            await foreach (var delta in deltas.ConfigureAwait(false))
                yield return delta;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoder.Dispose();
        _model.Dispose();
        _turn.Dispose();
    }

    /// <summary>SHA-256 of the sound encoder: its weights, and how sounds are cut for it.</summary>
    internal string EncoderHash() => ModuleFingerprint.Of(_model.EncoderPart!, Config.DescribeHearing());

    /// <summary>What the text of a question may hear, as the model adds it to its attention, [t, l]; for tests.</summary>
    internal float[] MediaScoresOf(Question question) => InTurn(() =>
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        long[] ids = [.. Encode(question).Select(id => (long)id)];
        var media = _encoder.Hear([question])!;
        return _model.MediaScores(media, _model.SoundPositions(tensor(ids, [1, ids.Length])), firstRow: 0, rows: ids.Length).data<float>().ToArray();
    }, CancellationToken.None);

    private IReadOnlyList<int> Encode(Question question) => question.Prompt.EncodeFor(Tokenizer, _model.Language.MaxTokens);

    private Answer AnswerOf(Question question, int promptTokens, GenerationResult result, IEnumerable<GeneratedSequence> sequences) => new()
    {
        Candidates = [.. sequences.Select(s => new AnswerText((s.Text ?? Tokenizer.DecodeAnswer(s.GeneratedIds)).Trim(), s.Finish, s.GeneratedIds.Count, s.Score))],
        PromptTokens = promptTokens,
        SecondsHeard = question.Sounds.Sum(s => s.SecondsHeard),
        SecondsDropped = question.Sounds.Sum(s => s.SecondsDropped),
        Seed = result.Seed,
        Timing = result.Timing,
    };

    private GenerationOptions Complete(GenerationOptions? options) =>
        (options ?? Config.Generation).ForModel(Tokenizer.Special, _model.Language.BeamLengthRule);

    private DecodingSession Start(List<Question> batch, IReadOnlyList<IReadOnlyList<int>> ids, GenerationOptions options)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var media = _encoder.Hear(batch)?.Detach();
        try
        {
            return DecodingSession.Start(
                _model, ids, options.PadToken!.Value, media, options.MaxNewTokens, options.ReferenceFewShotBug, ownsMedia: true);
        }
        catch
        {
            media?.Dispose();
            throw;
        }
    }

    private T InTurn<T>(Func<T> work, CancellationToken cancellation)
    {
        _turn.Wait(cancellation);
        try
        {
            return work();
        }
        finally
        {
            _turn.Release();
        }
    }
}
