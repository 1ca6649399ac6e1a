using System.Globalization;
using System.Text.RegularExpressions;
using FlamingoSharp.Encoders;
using FlamingoSharp.Generation;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Models;

/// <summary>Golden vectors: cases of kind flamingo-forward whose input is sound (af1-e2e and the like).</summary>
[Trait("Category", "Reference")]
public sealed partial class EndToEndTests
{
    public static TheoryData<string> Cases => ReferenceSet.Cases("flamingo-forward", c => !c.IsAf2 && c.Json["audio_input"] is not null);

    [Theory, NoTensorLeak]
    [MemberData(nameof(Cases))]
    public void From_waveform_to_answer_as_the_reference(string id)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var reference = ReferenceSet.Current.Case(id);
        using var golden = reference.OpenExpected();
        double tolerance = reference.Tolerance();

        var encoderCase = reference.Set.OfKind("clapcap-htsat").Single();
        using var encoder = new Htsat(ReferenceModels.Htsat(encoderCase));
        using (var weights = encoderCase.OpenWeights())
            ModuleWeights.Fill(encoder, weights, "clap.");
        encoder.eval();
        var encodings = encoder.forward(Windows(reference, encoderCase));       // [w, 1, c]
        TensorAssert.Close(golden.Read("audio_embeds"), encodings.transpose(0, 1), encoderCase.Tolerance(encoderCase.Json["stages"]!["embedding_1024"]), "audio_embeds");

        using var model = ReferenceModels.Af1(reference);
        using var media = model.Hear(encodings.unsqueeze(0), golden.Read("audio_mask").ne(0));
        var logits = model.Forward(golden.Read("input_ids"), null, media);
        TensorAssert.Close(golden.Read("logits"), logits, tolerance, "logits");
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

    // "(1,3,308700): items 0,1 of the clapcap-htsat waveforms, then a zero window (masked)"
    private static Tensor Windows(ReferenceCase reference, ReferenceCase encoderCase)
    {
        var text = InputText().Match((string)reference.Json["audio_input"]!);
        Assert.True(text.Success, $"unknown input: {reference.Json["audio_input"]}");
        int samples = int.Parse(text.Groups["samples"].Value, CultureInfo.InvariantCulture);
        int windows = int.Parse(text.Groups["windows"].Value, CultureInfo.InvariantCulture);
        Tensor[] waves = [.. ReferenceWaves.Of(encoderCase)];
        Assert.Equal(samples, waves[0].shape[0]);
        Tensor[] named = [.. text.Groups["items"].Value.Split(',').Select(i => waves[int.Parse(i, CultureInfo.InvariantCulture)])];
        return stack([.. named, .. Enumerable.Range(0, windows - named.Length).Select(_ => zeros(samples))]);
    }

    [GeneratedRegex(@"\(1,(?<windows>\d+),(?<samples>\d+)\): items (?<items>[\d,]+) of the [\w-]+ waveforms")]
    private static partial Regex InputText();
}
