using System.Text.Json.Nodes;
using FlamingoSharp.Audio;
using FlamingoSharp.Encoders;
using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Tests.Models;

public sealed class PresetTests
{
    public static TheoryData<string> Published => [.. ReferenceSet.Current.OfKind("parameter-names")
        .SelectMany(c => c.Json["files"]!.AsArray()).Select(f => (string)f!).Where(f => Read(f)["clap"] is not null)];

    /// <summary>Golden files: the state-dict names and shapes of the published models (case parameter-names).</summary>
    [Theory, MemberData(nameof(Published)), Trait("Category", "Reference")]
    public void A_published_Audio_Flamingo_2_has_a_preset_of_its_names_and_shapes(string file)
    {
        var json = Read(file);
        var language = ReferenceModels.Qwen2(json["config"]!.AsObject());
        var preset = Assert.Single(FlamingoConfig.Presets.Values, p => p.Language.Equals(language));

        var expected = Tensors(json, "").Concat(Tensors(AfClapNames(), "clap.nvclap."));
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            preset.DescribeWeights().Select(w => Line(w.Name, w.Shape)).Order(StringComparer.Ordinal));
    }

    /// <summary>The released form, that of the training code, and the file of the encoder alone (its loader drops <c>module.</c>).</summary>
    [Theory, NoTensorLeak, Trait("Category", "Reference")]
    [InlineData("clap.nvclap.")]
    [InlineData("clap.afclap.")]
    [InlineData("audio_branch.")]
    public void Every_tensor_of_AF_CLAP_has_a_home_in_each_of_its_forms(string prefix)
    {
        string[] beside = ["text_branch.embeddings.word_embeddings.weight", "logit_scale_a", "audio_projection.0.weight"]; // of the whole CLAP
        var published = AfClapNames()["tensors"]!.AsArray()
            .Select(t => new WeightInfo(prefix + (string)t!["name"]!, [.. t["shape"]!.AsArray().Select(d => (long)d!)], TorchSharp.torch.ScalarType.Float32))
            .Concat(beside.Select(name => new WeightInfo(name, [1], TorchSharp.torch.ScalarType.Float32)));
        using var source = new RenamedSource(SyntheticCheckpoint.Of("published", published), NameMap.Canonical);
        using var encoder = new Htsat(HtsatOptions.AfClap);
        ModuleWeights.Check(encoder, source, "clap.");

        using var without = new Htsat(HtsatOptions.AfClap with { Fusion = false });
        var error = Assert.Throws<FlamingoException>(() => ModuleWeights.Check(without, source, "clap."));
        Assert.Contains("nvclap.patch_embed.mel_conv2d.weight", error.Message);
    }

    [Theory]
    [InlineData("af2-0.5b")]
    [InlineData("af2-1.5b")]
    [InlineData("af2-3b")]
    public void Audio_Flamingo_2_hears_two_minutes_and_can_hear_five(string name)
    {
        var released = FlamingoConfig.Preset(name);
        Assert.Equal((120, 12 * 64, false), (released.MaxSeconds, released.VectorsPerSound, released.FewShotMask));

        var longer = released.WithMaxWindows(30);
        Assert.Equal((300, 30 * 64), (longer.MaxSeconds, longer.VectorsPerSound));
        Assert.Equal(released.DescribeWeights().Select(w => Line(w.Name, w.Shape)), longer.DescribeWeights().Select(w => Line(w.Name, w.Shape)));
    }

    [Fact]
    public void A_model_with_a_table_of_positions_hears_no_more_than_it_has_rows()
    {
        var error = Assert.Throws<FlamingoException>(() => FlamingoConfig.Af1Foundation.WithMaxWindows(129));
        Assert.Equal("The model's configuration does not fit together: 1 sounds of 129 vectors need more positions than 128.", error.Message);
        error = Assert.Throws<FlamingoException>(() => FlamingoConfig.Af2.WithMaxWindows(0));
        Assert.Equal("The window options do not fit: 0 windows in 1 slots leave no room for a sound; both must be 1 or more.", error.Message);
    }

    [Fact]
    public void Every_preset_fits_together_and_survives_its_file()
    {
        string path = Path.GetTempFileName();
        foreach (var preset in FlamingoConfig.Presets.Values)
        {
            preset.Validate();
            File.WriteAllText(path, preset.ToJson());
            Assert.Equal(preset.ToJson(), FlamingoConfig.Load(path).ToJson());
        }
        File.Delete(path);
    }

    [Fact]
    public void Sounds_without_filling_need_a_transformer_that_hides_filling()
    {
        var odd = FlamingoConfig.Af1Foundation with { Windows = new WindowOptions { PadToMaxWindows = false } };
        Assert.Equal(
            "The model's configuration does not fit together: its sounds are not filled up to the same number of windows, so the audio transformer must mask the filling between them.",
            Assert.Throws<FlamingoException>(odd.Validate).Message);
    }

    [Fact]
    public void Rotary_heads_have_room_for_what_is_turned()
    {
        var narrow = TinyModel.Config2 with { AudioTransformer = TinyModel.Config2.AudioTransformer with { Heads = 2 } };
        Assert.Equal(
            "The model's configuration does not fit together: heads of 16 are too narrow for rotary positions, which turn 32 dimensions of each at least.",
            Assert.Throws<FlamingoException>(narrow.Validate).Message);
    }

    /// <summary>Golden numbers: kind afclap-htsat, the encoder as the released code builds it.</summary>
    [Fact, Trait("Category", "Reference")]
    public void The_encoder_of_Audio_Flamingo_2_is_that_of_the_reference()
    {
        var encoder = FlamingoConfig.Af2.Encoder;
        Assert.Equal((64, 2048, 1001), (encoder.OutputTokens, encoder.OutputDim, encoder.Mel.Frames(encoder.WindowSamples)));
        foreach (var reference in ReferenceSet.Current.OfKind("afclap-htsat"))
        {
            var published = ReferenceEncoders.Options(reference);
            Assert.Equal(published.Mel, encoder.Mel);
            Assert.Equal((published.SampleRate, published.WindowSamples, published.EmbedDim), (encoder.SampleRate, encoder.WindowSamples, encoder.EmbedDim));
            Assert.Equal(published.Depths, encoder.Depths);
            Assert.Equal(published.Heads, encoder.Heads);
        }
    }

    private static JsonObject AfClapNames() => Read(ReferenceSet.Current.OfKind("parameter-names")
        .SelectMany(c => c.Json["files"]!.AsArray()).Select(f => (string)f!).Single(f => f.Contains("afclap", StringComparison.Ordinal)));

    private static IEnumerable<string> Tensors(JsonObject json, string prefix) =>
        from tensor in json["tensors"]!.AsArray()
        let name = prefix + (string)tensor!["name"]!
        where !NameMap.IsCopy(name) && !NameMap.IsComputed(name)
        select Line(name, [.. tensor["shape"]!.AsArray().Select(d => (long)d!)]);

    private static string Line(string name, IReadOnlyList<long> shape) => $"{name} [{string.Join(", ", shape)}]";

    private static JsonObject Read(string file) => JsonNode.Parse(File.ReadAllText(ReferenceSet.Current.PathOf(file)))!.AsObject();
}
