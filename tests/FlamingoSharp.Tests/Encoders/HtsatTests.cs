using System.Text.Json.Nodes;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Encoders;

public class HtsatTests
{
    // 1 s of 32 kHz sound: 51 frames, stretched to 64; grids of 8, 4, 2 and 1 tokens, so that windows shift, cover, and shrink.
    private static readonly HtsatOptions Tiny = new()
    {
        SampleRate = 32000,
        WindowSeconds = 1,
        Mel = new MelOptions { Hop = 640, Mels = 16 },
        ImageSize = 32,
        EmbedDim = 8,
        Depths = [2, 2, 4, 2],
        Heads = [1, 2, 4, 8],
        WindowSize = 4,
        Classes = 0,
        ProjectionDim = 24,
    };

    // The size that flamingo-mini trains: 5 s of 32 kHz sound.
    private static readonly HtsatOptions Small = new()
    {
        SampleRate = 32000,
        WindowSeconds = 5,
        Mel = new MelOptions { Hop = 640 },
        ImageSize = 128,
        EmbedDim = 48,
        Depths = [2, 2, 4, 2],
        Heads = [3, 6, 12, 24],
        Classes = 0,
        ProjectionDim = 256,
    };

    public static TheoryData<string> NameFiles => [.. ReferenceSet.Current.OfKind("parameter-names")
        .SelectMany(c => c.Json["files"]!.AsArray()).Select(f => (string)f!).Where(f => f.Contains("clapcap", StringComparison.Ordinal))];

    [Theory, NoTensorLeak, MemberData(nameof(NameFiles)), Trait("Category", "Reference")]
    public void Names_and_shapes_are_those_of_the_ClapCap_checkpoint(string file)
    {
        using var scope = NewDisposeScope();
        var json = JsonNode.Parse(File.ReadAllText(ReferenceSet.Current.PathOf(file)))!;
        var expected = json["tensors"]!.AsArray().Where(t => (string)t!["kind"]! == "parameter/statistic")
            .Select(t => $"{t!["name"]} [{string.Join(", ", t["shape"]!.AsArray().Select(d => (long)d!))}]");
        using var encoder = new Htsat(new HtsatOptions());

        var found = encoder.named_parameters().Select(p => (p.name, p.parameter.shape))
            .Concat(encoder.named_buffers().Select(b => (b.name, b.buffer.shape)));
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            found.Select(t => $"clap.{t.Item1} [{string.Join(", ", t.shape)}]").Order(StringComparer.Ordinal));
    }

    [Fact, NoTensorLeak]
    public void One_vector_a_window_or_all_tokens_as_the_options_say()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var pooled = Trained(Tiny);
        using var tokens = Trained(Small with { Output = HtsatOutput.Tokens });

        Assert.Equal([2, 1, 24], pooled.forward(Noise(2, 32000)).shape);
        Assert.Equal([1, 16, 384], tokens.forward(Noise(1, 160000)).shape);
        Assert.Equal((16, 384), (tokens.Options.OutputTokens, tokens.Options.OutputDim));
    }

    [Theory, NoTensorLeak]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)] // the image's second row of time
    [InlineData(7)]
    public void Each_step_of_time_hears_its_own_part_of_the_window(int step)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Trained(Small with { Output = HtsatOutput.TimeSteps });
        var silence = zeros(1, 160000);
        var burst = silence.clone();
        burst.narrow(1, (step * 20480) + 6000, 8000).copy_(Noise(1, 8000)); // an image of 256 frames in 8 steps, of 640 samples a frame

        var heard = encoder.forward(burst);
        Assert.Equal([1, 8, 256], heard.shape);
        Assert.Equal((8, 256), (encoder.Options.OutputTokens, encoder.Options.OutputDim));
        Assert.Equal(step, heard.sub(encoder.forward(silence)).norm(2).argmax(1).item<long>());
    }

    [Fact, NoTensorLeak]
    public void The_same_sound_twice_is_the_same_vector_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Trained(Tiny);
        var sound = Noise(3, 32000);

        TensorAssert.Close(encoder.forward(sound), encoder.forward(sound), 0);
    }

    [Fact, NoTensorLeak]
    public void A_sound_in_a_batch_is_the_sound_alone()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Trained(Tiny);
        var sounds = Noise(5, 32000);
        var alone = cat([.. sounds.split(1).Select(encoder.forward)]);

        TensorAssert.Close(alone, encoder.forward(sounds), 1e-5);
    }

    [Fact, NoTensorLeak]
    public void A_kept_spectrogram_gives_the_vector_of_its_sound()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Trained(Tiny);
        var sound = Noise(2, 32000);

        TensorAssert.Close(encoder.forward(sound), encoder.ForwardLogMel(encoder.LogMel(sound)), 0);
    }

    [Fact, NoTensorLeak]
    public void Training_reaches_every_parameter()
    {
        using var scope = NewDisposeScope();
        using var encoder = new Htsat(Tiny with { DropPath = 0 });
        ParameterInit.Initialize(encoder, seed: 1);
        encoder.train();
        encoder.ForwardLogMel(rand(4, 51, 16) * 60 - 80).pow(2).mul(rand(4, 1, 24)).sum().backward();

        Assert.All(encoder.named_parameters(), p =>
        {
            Assert.True(p.parameter.grad is not null, $"{p.name} has no gradient");
            // One token sees only itself: neither position nor query and key can matter in the last stage's 1x1 grid.
            if (!p.name.Contains("layers.3.blocks", StringComparison.Ordinal) || !p.name.EndsWith("bias_table", StringComparison.Ordinal))
                Assert.True(p.parameter.grad.abs().sum().ToDouble() > 0, $"the gradient of {p.name} is 0");
            p.parameter.grad.Dispose();
        });
    }

    [Fact, NoTensorLeak]
    public void Training_moves_the_running_statistics_and_use_does_not()
    {
        using var scope = NewDisposeScope();
        using var encoder = Trained(Tiny);
        var mean = encoder.get_buffer("base.htsat.bn0.running_mean")!;
        var before = mean.clone();

        encoder.ForwardLogMel(full([1, 51, 16], -50f));
        TensorAssert.Close(before, mean, 0);
        encoder.train();
        encoder.ForwardLogMel(full([1, 51, 16], -50f));
        TensorAssert.Close(before * 0.9 - 5, mean, 1e-4);
    }

    [Fact, NoTensorLeak]
    public void Skipped_branches_change_training_only()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var encoder = Trained(Tiny with { DropPath = 0.9, ProjectionDropout = 0 });
        var logMel = rand(8, 51, 16) * 60 - 80;
        var still = encoder.ForwardLogMel(logMel);

        TensorAssert.Close(still, encoder.ForwardLogMel(logMel), 0);
        encoder.train();
        var one = encoder.ForwardLogMel(logMel);
        Assert.True((one - encoder.ForwardLogMel(logMel)).abs().max().ToDouble() > 1e-3);
    }

    [Theory, NoTensorLeak]
    [InlineData(31000, "The encoder was given windows of 0.969 s (31000 samples) but takes windows [n, samples] of 1 s (32000 samples at 32000 Hz). Cut and pad the recording to that length first.")]
    [InlineData(64000, "The encoder was given windows of 2 s (64000 samples) but takes windows [n, samples] of 1 s (32000 samples at 32000 Hz). Cut and pad the recording to that length first.")]
    public void A_window_of_another_length_is_refused_in_seconds_and_samples(long samples, string message)
    {
        using var scope = NewDisposeScope();
        using var encoder = new Htsat(Tiny);
        var error = Assert.Throws<FlamingoException>(() => encoder.forward(zeros(1, samples)));
        Assert.Equal(message, error.Message);
    }

    [Fact, NoTensorLeak]
    public void A_spectrogram_of_another_size_is_refused()
    {
        using var scope = NewDisposeScope();
        using var encoder = new Htsat(Tiny);
        var error = Assert.Throws<FlamingoException>(() => encoder.ForwardLogMel(zeros(1, 65, 16)));
        Assert.Equal("The encoder takes log-mel spectrograms [n, 1 to 64 frames, 16 mel bands], but was given [1, 65, 16].", error.Message);
    }

    [Fact]
    public void Sizes_that_do_not_fit_each_other_are_refused()
    {
        static string Message(HtsatOptions options) => Assert.Throws<FlamingoException>(options.Validate).Message;

        Assert.Equal("The HTSAT options do not fit together: a window of 2 s gives 101 frames, but the image holds 64; shorten the window or lengthen the hop.",
            Message(Tiny with { WindowSeconds = 2 }));
        Assert.Equal("The HTSAT options do not fit together: 3 heads do not divide the width 8 of stage 0.", Message(Tiny with { Heads = [3, 2, 4, 8] }));
        Assert.Equal("The HTSAT options do not fit together: the image (32), patch (4) and window (7) sizes must be powers of two.",
            Message(Tiny with { WindowSize = 7 }));
        Small.Validate();
        new HtsatOptions().Validate();
    }

    private static Htsat Trained(HtsatOptions options)
    {
        var encoder = new Htsat(options);
        ParameterInit.Initialize(encoder, seed: 1);
        encoder.eval();
        return encoder;
    }

    private static Tensor Noise(long n, long samples)
    {
        manual_seed(5);
        return rand(n, samples) * 2 - 1;
    }
}
