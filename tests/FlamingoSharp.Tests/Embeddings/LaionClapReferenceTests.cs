using FlamingoSharp.Audio;
using FlamingoSharp.Embeddings;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Embeddings;

/// <summary>Golden numbers: kind laion-clap, LAION-CLAP at full size from sounds and token ids to embeddings.</summary>
[Trait("Category", "Reference")]
public sealed class LaionClapReferenceTests
{
    public static TheoryData<string> Cases => ReferenceSet.Cases("laion-clap");

    [Theory, NoTensorLeak, MemberData(nameof(Cases))]
    public void Embeddings_of_sounds_and_texts_equal_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var golden = reference.OpenExpected();
        using var weights = ReferenceClap.OpenWeights(reference);
        var config = ReferenceClap.Config(reference, weights);
        using var towers = config.Build();
        ModuleWeights.Fill(towers, weights);
        towers.eval();

        Tensor? mel = null, latent = null;
        var sounds = towers.EmbedAudio(stack([.. ReferenceWaves.Of(reference).Select(w => Windows(w, config).ToTensor(0, 1).squeeze(0))]), (stage, value) =>
        {
            if (stage == "logmel")
                mel = value.alias().MoveToOuterDisposeScope();
            if (stage == $"latent_{config.Audio.LatentDim}")
                latent = value.alias().MoveToOuterDisposeScope();
        });
        CheckMel(golden, mel!);
        var goldenLatent = golden.Read("audio_latent_768");
        TensorAssert.Close(goldenLatent, latent!, 1e-5 * goldenLatent.abs().max().ToDouble(), "audio_latent_768");
        TensorAssert.Close(golden.Read("audio_embedding"), sounds, (double)reference.Json["audio"]!["recommended_atol"]!, "audio_embedding");

        Tensor? hidden = null, pooler = null;
        var attend = golden.Read("text/attention_mask");
        var texts = towers.EmbedText(golden.Read("text/input_ids"), attend.to_type(ScalarType.Bool), (stage, value) =>
        {
            if (stage == "hidden")
                hidden = value.alias().MoveToOuterDisposeScope();
            if (stage == "pooler")
                pooler = value.alias().MoveToOuterDisposeScope();
        });
        TensorAssert.Close(golden.Read("text_hidden_row0"), hidden!.select(1, 0), 1e-4, "text_hidden_row0");
        long[] last = [.. attend.sum(1).data<long>().ToArray().Select(n => n - 1)];
        TensorAssert.Close(golden.Read("text_hidden_last_valid"), stack([.. last.Select((t, row) => hidden[row, t])]), 1e-4, "text_hidden_last_valid");
        TensorAssert.Close(golden.Read("text_pooler"), pooler!, 5e-5, "text_pooler");
        TensorAssert.Close(golden.Read("text_embedding"), texts, (double)reference.Json["text"]!["recommended_atol"]!, "text_embedding");
        TensorAssert.Close(golden.Read("similarity"), sounds.matmul(texts.t()), 1e-5, "similarity");
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_size_of_a_published_checkpoint_is_told_from_its_tensors(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var weights = ReferenceClap.OpenWeights(reference);
        var known = ReferenceClap.Config(reference, weights);
        Assert.Equal(known.ToJson(), ClapCheckpoint.Recognise(weights).ToJson());
    }

    // The case's waves are quantised already. Halfway to the next step they give the same when they are quantised again.
    private static ClapWindows Windows(Tensor wave, ClapConfig config) =>
        new(new Recording([.. wave.data<float>().ToArray().Select(s => (Math.Round(s * 32767.0) + 0.5 * Math.Sign(s)) / 32767)], config.Audio.SampleRate), config);

    private static void CheckMel(SafeTensorsReader golden, Tensor mel)
    {
        TensorAssert.Close(golden.Read("mel_item1_first_rows"), mel[1].narrow(0, 0, 4), 1e-3, "mel_item1_first_rows");
        const int Copies = 4; // of the spectrogram, equal ones; ours is there once
        var doubles = mel.to_type(ScalarType.Float64);
        double count = Copies * doubles.shape[1] * doubles.shape[2], largest = doubles.abs().max().ToDouble();
        var sums = golden.Read("mel_stats");
        TensorAssert.Close(sums.select(1, 0), doubles.sum([1, 2]) * Copies, count * 1e-3, "sums of the mel");
        TensorAssert.Close(sums.select(1, 1), doubles.pow(2).sum([1, 2]) * Copies, count * 2 * largest * 1e-3, "sums of squares of the mel");
    }
}
