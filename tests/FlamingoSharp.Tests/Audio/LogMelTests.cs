using FlamingoSharp.Audio;
using FlamingoSharp.TestKit;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Audio;

public class LogMelTests
{
    [Theory, NoTensorLeak]
    [InlineData(308700, 965)] // 7 s at 44.1 kHz
    [InlineData(640, 3)]
    [InlineData(639, 2)]
    public void A_frame_for_every_hop_and_one_more(long samples, int frames)
    {
        using var scope = NewDisposeScope();
        using var logMel = new LogMel(new MelOptions());

        Assert.Equal([2, frames, 64], logMel.Compute(zeros(2, samples)).shape);
        Assert.Equal(frames, logMel.Options.Frames(samples));
    }

    [Fact, NoTensorLeak]
    public void Silence_is_minus_100_decibels()
    {
        using var scope = NewDisposeScope();
        using var logMel = new LogMel(new MelOptions());

        TensorAssert.Close(full(1, 7, 64, -100.0), logMel.Compute(zeros(1, 2048)), 0);
    }

    [Fact, NoTensorLeak]
    public void A_tone_is_loudest_in_the_band_around_it()
    {
        using var scope = NewDisposeScope();
        using var logMel = new LogMel(new MelOptions());
        var tone = sin(arange(16000, ScalarType.Float64) * (2 * Math.PI * 1000 / 32000)).to_type(ScalarType.Float32);

        float[] bank = LogMelBank.Weights(logMel.Options);
        var row = bank.AsSpan(32 * 64, 64).ToArray(); // bin 32 of 31.25 Hz each is 1 kHz
        Assert.Equal(Array.IndexOf(row, row.Max()), logMel.Compute(tone.unsqueeze(0))[0, 10].argmax().item<long>());
    }

    [Theory]
    [InlineData(MelScale.Slaney)]
    [InlineData(MelScale.Htk)]
    public void Every_band_is_a_triangle_of_its_scale(MelScale scale)
    {
        var options = new MelOptions { Scale = scale, FftSize = 8192 };
        float[] bank = LogMelBank.Weights(options);
        double binHz = options.SampleRate / (double)options.FftSize;
        for (int m = 0; m < options.Mels; m++)
        {
            float[] band = [.. Enumerable.Range(0, options.FftSize / 2 + 1).Select(b => bank[b * options.Mels + m])];
            if (scale == MelScale.Slaney)
                Assert.Equal(1, band.Sum(w => w * binHz), 0.02);
            else
                Assert.InRange(band.Max(), 0.9, 1);
            int peak = Array.IndexOf(band, band.Max());
            Assert.True(band.Take(peak).SequenceEqual(band.Take(peak).Order()), $"band {m} does not rise to its peak");
            Assert.True(band.Skip(peak).SequenceEqual(band.Skip(peak).OrderDescending()), $"band {m} does not fall from its peak");
        }
    }

    public static TheoryData<string> HtkCases => ReferenceSet.Cases("afclap-htsat");

    [Theory, NoTensorLeak, MemberData(nameof(HtkCases)), Trait("Category", "Reference")]
    public void The_HTK_bank_equals_the_reference(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var scope = NewDisposeScope();
        using var golden = reference.OpenExpected();
        var mel = reference.Json["config"]!["mel"]!;
        Assert.Equal("htk", (string)mel["scale"]!);
        var options = new MelOptions
        {
            SampleRate = (int)mel["sr"]!,
            FftSize = (int)mel["n_fft"]!,
            Mels = (int)mel["n_mels"]!,
            MinimumHz = (double)mel["fmin"]!,
            MaximumHz = (double)mel["fmax"]!,
            Scale = MelScale.Htk,
        };

        TensorAssert.Close(golden.Read("mel_fb"), tensor(LogMelBank.Weights(options), options.FftSize / 2 + 1, options.Mels), 2e-5);
    }

    // A loud low tone over faint noise 90 dB below it: the transform's own rounding must not reach the quiet bands.
    [Fact, NoTensorLeak]
    public void Quiet_bands_beside_a_loud_one_are_exact()
    {
        using var scope = NewDisposeScope();
        using var logMel = new LogMel(new MelOptions());
        manual_seed(3);
        var time = arange(32000, ScalarType.Float64);
        var exact = sin(time * (2 * Math.PI * 200 / 32000)) * 0.9 + (rand(32000, ScalarType.Float64) - 0.5) * 1e-3;
        var samples = exact.to_type(ScalarType.Float32);

        TensorAssert.Close(InDouble(samples.to_type(ScalarType.Float64), logMel.Options), logMel.Compute(samples.unsqueeze(0))[0], 1e-3);
    }

    [Fact, NoTensorLeak]
    public void Too_few_samples_are_refused()
    {
        using var scope = NewDisposeScope();
        using var logMel = new LogMel(new MelOptions());
        var error = Assert.Throws<FlamingoException>(() => logMel.Compute(zeros(1, 512)));
        Assert.Equal("A log-mel spectrogram needs windows [n, samples] of more than 512 samples, but got [1, 512].", error.Message);
    }

    [Fact]
    public void Bands_above_half_the_sample_rate_are_refused()
    {
        var error = Assert.Throws<FlamingoException>(() => new LogMel(new MelOptions { SampleRate = 16000 }));
        Assert.Equal("The mel bands reach from 50 to 14000 Hz but must rise within 0 and 8000 Hz, half the sample rate.", error.Message);
    }

    private static Tensor InDouble(Tensor samples, MelOptions options)
    {
        var window = hann_window(options.FftSize, true, ScalarType.Float64);
        var power = samples.stft(options.FftSize, options.Hop, options.FftSize, window, center: true,
            pad_mode: TorchSharp.PaddingModes.Reflect, return_complex: true).abs().pow(2).t();
        var bank = tensor(LogMelBank.Weights(options), options.FftSize / 2 + 1, options.Mels).to_type(ScalarType.Float64);
        return power.matmul(bank).clamp_min(options.Floor).log10() * 10;
    }
}
