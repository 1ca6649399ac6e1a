using FlamingoSharp.Encoders;
using FlamingoSharp.Generation;
using FlamingoSharp.Models;
using static TorchSharp.torch;

namespace FlamingoSharp;

/// <summary>A stretch of a sound that text can look at.</summary>
/// <param name="Sound">Which sound of the prompt, from 0; the one asked about is the last.</param> <param name="Window">Which of its windows, from 0.</param>
/// <param name="StartSeconds">Where in the part heard it begins.</param> <param name="EndSeconds">Where it ends.</param>
public sealed record HeardStretch(int Sound, int Window, double StartSeconds, double EndSeconds);

/// <summary>A token of an answer and what the model looked at when it chose it.</summary>
/// <param name="Text">What it spells.</param>
/// <param name="Weights">[layer][stretch]: attention from the place where the token was chosen, mean over heads; each layer sums to 1.</param>
public sealed record ExplainedToken(string Text, IReadOnlyList<float[]> Weights);

/// <summary>An answer, and which moments of the sounds each of its tokens looked at.</summary>
public sealed record Explanation
{
    /// <summary>The answer, the same as without the explanation.</summary>
    public required Answer Answer { get; init; }

    /// <summary>Exactly what the model read.</summary>
    public required string Prompt { get; init; }

    /// <summary>The columns of <see cref="ExplainedToken.Weights"/>.</summary>
    public required IReadOnlyList<HeardStretch> Stretches { get; init; }

    /// <summary>The generated tokens.</summary>
    public required IReadOnlyList<ExplainedToken> Tokens { get; init; }

    /// <summary>Layers with cross-attention: length of <see cref="ExplainedToken.Weights"/>.</summary>
    public required int Layers { get; init; }

    /// <summary>
    /// Largest difference between what the shown weights make of the sounds and what the model's own attention made of them, relative to the largest
    /// value: how true the picture is.
    /// </summary>
    public required double Deviation { get; init; }
}

/// <content>Seeing why.</content>
public sealed partial class Flamingo
{
    /// <summary>Answers a question greedily or as the options say, and shows which moments of the sounds each token of the answer looked at.</summary>
    /// <param name="question">About one or more sounds.</param> <param name="options">Null takes <see cref="FlamingoConfig.Generation"/>: greedy.</param>
    /// <param name="cancellation">Checked before every token.</param>
    /// <remarks>
    /// The prompt and the best answer are read once more as a whole, with the weights of every cross-attention block exposed; those of a token
    /// are taken where it was chosen, one place before its own. Weights that fall on silent filling, which a model without a mask may look at, are not shown.
    /// </remarks>
    /// <exception cref="FlamingoException">The question is about no sound, or does not fit the context.</exception>
    public Explanation Explain(Question question, GenerationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(question);
        if (question.Sounds.Count == 0)
            throw new FlamingoException(FlamingoErrorKind.Usage, "The question is about no sound, so there is nothing that its answer can have looked at.");
        var complete = Complete(options);
        var prompt = Encode(question);
        return InTurn(() =>
        {
            using var scope = NewDisposeScope();
            GenerationResult result;
            using (var session = Start([question], [prompt], complete))
                result = TextGenerator.Run(session, [prompt], complete, Tokenizer, _model.Language.MaxTokens, cancellation: cancellation);
            var best = result.Sequences[0];
            var stretches = Stretches(question);
            var (weights, deviation) = Look(question, prompt, best.GeneratedIds, stretches);
            return new Explanation
            {
                Answer = AnswerOf(question, prompt.Count, result, result.Sequences),
                Prompt = question.Prompt.Show(Tokenizer),
                Stretches = [.. stretches.Select(s => s.Stretch)],
                Tokens = [.. best.GeneratedIds.Select((id, i) => new ExplainedToken(Tokenizer.Decode([id]), [.. weights.Select(layer => layer[i])]))],
                Layers = weights.Count,
                Deviation = deviation,
            };
        }, cancellation);
    }

    /// <returns>[layer][token][stretch], and the deviation.</returns>
    private (List<float[][]> Weights, double Deviation) Look(
        Question question, IReadOnlyList<int> prompt, IReadOnlyList<int> answer, List<(HeardStretch Stretch, int First, int Count)> stretches)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var weights = new List<float[][]>();
        double deviation = 0;
        Tensor? weighted = null;
        long[] ids = [.. prompt.Select(i => (long)i), .. answer.SkipLast(1).Select(i => (long)i)];
        var media = _encoder.Hear([question])!;
        _model.Forward(tensor(ids, [1, ids.Length], device: _model.Language.Device), attend: null, media, probe: Probe);
        return (weights, deviation);

        void Probe(string name, Tensor value)
        {
            switch (name)
            {
                case "attn_weights":
                    // [1, h, t, l] -> [n, l]: the rows in which the answer's tokens were chosen.
                    float[] rows = value[0].to_type(ScalarType.Float32).mean([0]).narrow(0, prompt.Count - 1, answer.Count).cpu().contiguous().data<float>().ToArray();
                    weights.Add([.. rows.Chunk((int)value.shape[3]).Select(row => stretches.Select(s => row.AsSpan(s.First, s.Count).ToArray().Sum()).ToArray())]);
                    break;
                case "attn_weighted":
                    weighted = value.clone().DetachFromDisposeScope(); // the block's own scope ends before it says what came out
                    break;
                case "attn_out":
                    using (weighted)
                        Compare(value, weighted!);
                    break;
            }
        }

        void Compare(Tensor value, Tensor weighted)
        {
            double scale = Math.Max(value.abs().max().to_type(ScalarType.Float32).item<float>(), float.Epsilon);
            deviation = Math.Max(deviation, value.sub(weighted).abs().max().to_type(ScalarType.Float32).item<float>() / scale);
        }
    }

    /// <summary>Where each stretch of the sounds stands among the vectors: a step of time where the encoder gives those, else a window.</summary>
    private List<(HeardStretch Stretch, int First, int Count)> Stretches(Question question)
    {
        var (windows, encoder) = (Config.Windows, Config.Encoder);
        int steps = encoder.Output == HtsatOutput.TimeSteps ? encoder.OutputTokens : 1, each = encoder.OutputTokens / steps;
        double hop = (double)windows.StepSamples / windows.SampleRate;
        var stretches = new List<(HeardStretch, int, int)>();
        int first = 0;
        for (int sound = 0; sound < question.Sounds.Count; sound++)
        {
            if (windows.PadToMaxWindows)
                first = sound * Config.VectorsPerSound;
            for (int window = 0; window < question.Sounds[sound].Windows; window++)
            {
                for (int step = 0; step < steps; step++, first += each)
                {
                    double start = (window * hop) + (step * windows.LengthSeconds / steps);
                    stretches.Add((new HeardStretch(sound, window, start, start + (windows.LengthSeconds / steps)), first, each));
                }
            }
        }
        return stretches;
    }
}
