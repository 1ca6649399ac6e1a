using System.Globalization;
using FlamingoSharp.Text;

namespace FlamingoSharp.Generation;

/// <summary>How an answer is generated. Defaults: greedy with the released AF1 limits.</summary>
/// <remarks>Source: the released inference scripts of Audio Flamingo 1 and 2 and the generation defaults of transformers.</remarks>
public sealed record GenerationOptions
{
    /// <summary>Captions and benchmarks: greedy, 128 tokens (AF1 evaluation).</summary>
    public static GenerationOptions Greedy { get; } = new();

    /// <summary>AF1 foundation examples: sampling with top-k 30 and top-p 0.95, 128 tokens.</summary>
    public static GenerationOptions Foundation { get; } = new() { Sample = true, TopK = 30, TopP = 0.95 };

    /// <summary>AF1 chat examples and demo: sampling with top-k 50 and top-p 0.95, 128 tokens.</summary>
    public static GenerationOptions Chat { get; } = new() { Sample = true, TopK = 50, TopP = 0.95 };

    /// <summary>AF2 evaluation: greedy, 256 tokens. Where sampling is turned on, top-k is 30 and top-p 0.95.</summary>
    public static GenerationOptions Greedy2 { get; } = new() { MaxNewTokens = 256, TopK = 30, TopP = 0.95 };

    /// <summary>AF2 examples: sampling with top-k 30 and top-p 0.95, 256 tokens.</summary>
    public static GenerationOptions Foundation2 { get; } = Greedy2 with { Sample = true };

    /// <summary>Most tokens of an answer with its reasoning (AF2's chain-of-thought script).</summary>
    public const int ThinkingTokens = 1024;

    /// <summary>Most tokens generated per sequence, the stop token included. AF1: 128, AF2: 256.</summary>
    public int MaxNewTokens { get; init; } = 128;

    /// <summary>Beams searched per prompt; 1 is no beam search.</summary>
    public int NumBeams { get; init; } = 1;

    /// <summary>Draws tokens from the filtered distribution instead of taking the likeliest.</summary>
    public bool Sample { get; init; }

    /// <summary>Logits are divided by this before they are filtered: below 1 sharpens, above 1 flattens. Only with <see cref="Sample"/>.</summary>
    public double Temperature { get; init; } = 1.0;

    /// <summary>Likeliest tokens kept, ties with the last one included; 0 keeps all. Only with <see cref="Sample"/>. The default is transformers'.</summary>
    public int TopK { get; init; } = 50;

    /// <summary>Keeps the likeliest tokens whose probabilities just exceed this sum; 1 keeps all. Only with <see cref="Sample"/>.</summary>
    public double TopP { get; init; } = 1.0;

    /// <summary>Sequences returned per prompt: draws when sampling, the best hypotheses in beam search.</summary>
    public int NumReturnSequences { get; init; } = 1;

    /// <summary>Seed of the draws; null takes a fresh one, which the result reports. The n-th sequence of a prompt draws the same numbers in any batch.</summary>
    public long? Seed { get; init; }

    /// <summary>Exponent of the length that a hypothesis' sum of log-probabilities is divided by: above 0 favours longer answers.</summary>
    public double LengthPenalty { get; init; } = 1.0;

    /// <summary>What counts as that length; null takes the model's rule.</summary>
    public BeamLengthRule? BeamLengthRule { get; init; }

    /// <summary>Ids that end a sequence and are kept as its last token; null takes the model's: end of text and <c>&lt;|endofchunk|&gt;</c>.</summary>
    /// <remarks>The reference stops at exactly one id: end of text in its scripts, <c>&lt;|endofchunk|&gt;</c> when none is given.</remarks>
    public IReadOnlyList<int>? StopTokens { get; init; }

    /// <summary>Id that fills shorter sequences of a padded result; null takes the model's.</summary>
    public int? PadToken { get; init; }

    /// <summary>Texts that end a sequence; they are not part of its text. Not with beam search.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>
    /// Repeats a bug of the reference: after the first generated token only the first sound of a few-shot prompt is seen.
    /// Off by default, because the model was trained with the true mask.
    /// </summary>
    public bool ReferenceFewShotBug { get; init; }

    /// <summary>Reports each sequence's sum of log-probabilities as its score also without beam search.</summary>
    public bool LogProbabilities { get; init; }

    /// <summary>Keeps the raw logits of every step; not with beam search.</summary>
    internal bool KeepLogits { get; init; }

    /// <summary>The same options with the model's special tokens in place of those that were left open.</summary>
    /// <param name="special">The tokens of its tokenizer.</param>
    /// <param name="lengthRule">What counts as the length of its beams.</param>
    public GenerationOptions ForModel(SpecialTokens special, BeamLengthRule lengthRule = Generation.BeamLengthRule.PromptAndGenerated) =>
        ForModel(special.Eos.Id, special.EndOfChunk.Id, special.Pad.Id) with { BeamLengthRule = BeamLengthRule ?? lengthRule };

    /// <inheritdoc cref="ForModel(SpecialTokens, BeamLengthRule)"/>
    /// <param name="endOfText">The tokenizer's eos.</param> <param name="endOfChunk"><c>&lt;|endofchunk|&gt;</c>.</param> <param name="pad">The pad id.</param>
    internal GenerationOptions ForModel(int endOfText, int endOfChunk, int pad) => this with
    {
        StopTokens = StopTokens ?? (endOfText == endOfChunk ? [endOfText] : [endOfText, endOfChunk]),
        PadToken = PadToken ?? pad,
    };

    /// <summary>Checks the options against each other.</summary>
    /// <exception cref="FlamingoException">An option is out of range, or two contradict each other.</exception>
    public void Validate() => Validate(option => option);

    /// <inheritdoc cref="Validate()"/>
    /// <param name="named">What messages call an option, such as the switch that a user wrote.</param>
    public void Validate(Func<string, string> named)
    {
        ArgumentNullException.ThrowIfNull(named);
        string beams = named(nameof(NumBeams)), sequences = named(nameof(NumReturnSequences));
        Require(MaxNewTokens >= 1, $"{named(nameof(MaxNewTokens))} is {MaxNewTokens}, but at least 1 token must be generated.");
        Require(NumBeams >= 1, $"{beams} is {NumBeams}, but at least 1 is needed; 1 means no beam search.");
        Require(double.IsFinite(Temperature) && Temperature is >= 0.001 and <= 1000,
            $"{named(nameof(Temperature))} is {Temperature}, but must lie between 0.001 and 1000; for the likeliest token at every step turn sampling off.");
        Require(TopK >= 0, $"{named(nameof(TopK))} is {TopK}, but cannot be negative; 0 keeps every token.");
        Require(TopP is > 0 and <= 1, $"{named(nameof(TopP))} is {TopP}, but must be above 0 and at most 1; 1 keeps every token.");
        Require(NumReturnSequences >= 1, $"{sequences} is {NumReturnSequences}, but at least 1 sequence must be returned.");
        Require(double.IsFinite(LengthPenalty), $"LengthPenalty is {LengthPenalty}, but must be a finite number; 1 is the default.");
        Require(StopStrings.All(s => s.Length > 0), $"StopStrings holds an empty text, which would end every answer at once; leave it out.");
        Require(NumBeams == 1 || !Sample, $"{beams} is {NumBeams} and sampling is on, but beam search does not draw: choose one of the two.");
        Require(NumBeams == 1 || StopStrings.Count == 0,
            $"{beams} is {NumBeams} and there are StopStrings, but beams end at stop tokens only: use one beam, or drop the stop strings.");
        Require(NumBeams == 1 || !KeepLogits, $"{beams} is {NumBeams} and KeepLogits is on, but the logits of beams are not kept.");
        Require(NumBeams == 1 || NumReturnSequences <= NumBeams,
            $"{sequences} is {NumReturnSequences}, but {NumBeams} beams return at most {NumBeams} sequences: raise {beams}.");
        Require(NumReturnSequences == 1 || NumBeams > 1 || Sample,
            $"{sequences} is {NumReturnSequences}, but greedy generation has one answer only: turn sampling on, or use beams.");
    }

    private static void Require(bool holds, FormattableString message)
    {
        if (!holds)
            throw new FlamingoException(FlamingoErrorKind.Usage, message.ToString(CultureInfo.InvariantCulture));
    }
}
