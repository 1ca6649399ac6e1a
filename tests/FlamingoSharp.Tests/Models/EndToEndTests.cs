using System.Globalization;
using System.Text.RegularExpressions;
using FlamingoSharp.Generation;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Models;

/// <summary>Golden vectors: cases of kind flamingo-forward whose input is sound (af1-e2e, af2-e2e and the like).</summary>
[Trait("Category", "Reference")]
public sealed partial class EndToEndTests
{
    public static TheoryData<string> Cases => ReferenceSet.Cases("flamingo-forward", c => c.Json["audio_input"] is not null);

    [Theory, NoTensorLeak]
    [MemberData(nameof(Cases))]
    public void From_waveform_to_answer_as_the_reference(string id)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var reference = ReferenceSet.Current.Case(id);
        using var golden = reference.OpenExpected();
        double tolerance = reference.Tolerance();

        var encodings = Encode(reference, golden);                              // [w, h, c]
        using var model = ReferenceModels.Of(reference);
        using var media = model.Hear(encodings.unsqueeze(0), golden.Read("audio_mask").ne(0));
        var logits = model.Forward(golden.Read("input_ids"), null, media);
        TensorAssert.Close(golden.Read("logits"), logits, tolerance, "logits");
        if (golden.Weights.ContainsKey("labels"))
            TensorAssert.Close(golden.Read("loss").view(-1), LanguageLoss.Of(logits, golden.Read("labels")).view(-1), tolerance, "loss");

        long[] expected = golden.Read("generated_ids").data<long>().ToArray();
        long[] prompt = golden.Read("prompt_ids").data<long>().ToArray();
        var options = new GenerationOptions
        {
            MaxNewTokens = expected.Length - prompt.Length,
            StopTokens = [(int)ReferenceModels.TokenIds(reference)["eos"]!],
            PadToken = (int)ReferenceModels.TokenIds(reference)["pad"]!,
        };
        using var session = new DecodingSession(model, tensor(prompt, [1, prompt.Length]), null, media, options.MaxNewTokens);
        var result = TokenGenerator.Run(session, [[.. prompt.Select(t => (int)t)]], options);
        Assert.Equal(expected, result.Sequences[0].Ids.Select(t => (long)t));
    }

    private static Tensor Encode(ReferenceCase reference, SafeTensorsReader golden)
    {
        using var scope = NewDisposeScope();
        string text = (string)reference.Json["audio_input"]!;
        var input = InputText().Match(text);
        Assert.True(input.Success, $"unknown input: {text}");
        var encoderCase = reference.Set.Case(input.Groups["case"].Value);
        using var encoder = ReferenceEncoders.Build(encoderCase);
        var encodings = encoder.forward(Windows(input, encoderCase));
        if (golden.Weights.ContainsKey("audio_embeds"))
        {
            var stage = encoderCase.Json["stages"]![$"embedding_{encoder.Options.ProjectionDim}"];
            TensorAssert.Close(golden.Read("audio_embeds"), encodings.transpose(0, 1), encoderCase.Tolerance(stage), "audio_embeds");
        }
        return encodings.MoveToOuterDisposeScope();
    }

    // "(1,3,308700): items 0,1 of the clapcap-htsat waveforms, then a zero window (masked)",
    // "(1,2,160000): the two non-zero clips of afclap-htsat"
    private static Tensor Windows(Match input, ReferenceCase encoderCase)
    {
        int samples = int.Parse(input.Groups["samples"].Value, CultureInfo.InvariantCulture);
        int windows = int.Parse(input.Groups["windows"].Value, CultureInfo.InvariantCulture);
        Tensor[] waves = [.. ReferenceWaves.Of(encoderCase)];
        Assert.Equal(samples, waves[0].shape[0]);
        Tensor[] named = input.Groups["items"].Success
            ? [.. input.Groups["items"].Value.Split(',').Select(i => waves[int.Parse(i, CultureInfo.InvariantCulture)])]
            : [.. waves.Where(w => w.count_nonzero().item<long>() > 0)];
        Assert.True(named.Length == windows || (named.Length < windows && input.Groups["filled"].Success), $"{named.Length} waves for {windows} windows");
        return stack([.. named, .. Enumerable.Range(0, windows - named.Length).Select(_ => zeros(samples))]);
    }

    [GeneratedRegex(@"^\(1,(?<windows>\d+),(?<samples>\d+)\): (?:items (?<items>[\d,]+) of the (?<case>[\w-]+) waveforms|the \w+ non-zero clips of (?<case>[\w-]+))(?<filled>, then a zero window \(masked\))?$")]
    private static partial Regex InputText();
}
