using FlamingoSharp.Models;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Models;

/// <summary>Golden vectors: cases of kind lm-logits (OPTForCausalLM and Qwen2ForCausalLM of transformers).</summary>
public sealed class LanguageModelTests
{
    public static TheoryData<string, string> Cases => ReferenceSet.SubCases("lm-logits");

    [Theory, NoTensorLeak, Trait("Category", "Reference")]
    [MemberData(nameof(Cases))]
    public void Logits_equal_the_reference(string id, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        using var golden = reference.OpenExpected();
        double tolerance = reference.Tolerance(sub);
        using var decoder = Load(reference, name);
        var ids = golden.Read($"{name}/input_ids");
        var attend = golden.Read($"{name}/attention_mask").ne(0);

        var stages = new Dictionary<string, Tensor>();
        var hidden = decoder.Hidden(new LanguageInput(ids)
        {
            Attend = attend,
            Probe = (stage, t) => stages[stage] = t.clone().MoveToOuterDisposeScope(),
        });
        TensorAssert.Close(Real(golden.Read($"{name}/logits")), Real(decoder.Logits(hidden)), tolerance, "logits");
        if (golden.Weights.ContainsKey($"{name}/hidden_layer0"))
            TensorAssert.Close(Real(golden.Read($"{name}/hidden_layer0")), Real(stages["hidden_layer0"]), tolerance, "embeddings and positions");
        TensorAssert.Close(Real(golden.Read($"{name}/hidden_layer1")), Real(stages["hidden_layer1"]), tolerance, "first layer");

        var unmasked = decoder.Logits(decoder.Hidden(new LanguageInput(ids)));
        TensorAssert.Close(golden.Read($"{name}/logits_no_mask"), unmasked, tolerance, "logits without a mask");

        Tensor Real(Tensor x) => x[attend]; // rows of padding are nobody's business
    }

    [Theory, NoTensorLeak, Trait("Category", "Reference")]
    [MemberData(nameof(Cases))]
    public void The_key_value_cache_changes_nothing(string id, string name)
    {
        using var scope = NewDisposeScope();
        using var quiet = no_grad();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(name);
        using var golden = reference.OpenExpected();
        using var decoder = Load(reference, name);
        var ids = golden.Read($"{name}/input_ids");
        var attend = golden.Read($"{name}/attention_mask").ne(0);
        if (sub["cached_row"] is { } row)
            (ids, attend) = (ids.narrow(0, (long)row!, 1), attend.narrow(0, (long)row!, 1));
        long rows = ids.shape[0], t = ids.shape[1];
        using var cache = new KeyValueCache(decoder.Layers, rows, decoder.KeyValueHeads, t, decoder.HeadWidth, ScalarType.Float32, CPU);

        decoder.Hidden(new LanguageInput(ids.narrow(1, 0, t - 1)) { Attend = attend.narrow(1, 0, t - 1), Cache = cache });
        var last = decoder.Hidden(new LanguageInput(ids.narrow(1, t - 1, 1)) { Attend = attend, Cache = cache });
        TensorAssert.Close(golden.Read($"{name}/last_step_with_cache"), decoder.Logits(last), reference.Tolerance(sub), "last step");
    }

    [Fact]
    public void A_text_longer_than_the_positions_is_refused()
    {
        using var decoder = new OptDecoder(
            new OptOptions { VocabularySize = 10, HiddenSize = 8, Layers = 1, Heads = 2, FeedForward = 8, MaxPositions = 4 }, 8, new CrossAttentionOptions());
        ParameterInit.Initialize(decoder, seed: 1);
        using var scope = NewDisposeScope();
        var error = Assert.Throws<FlamingoException>(() => decoder.Hidden(new LanguageInput(zeros(1, 5, ScalarType.Int64))));
        Assert.Equal("The text has 5 tokens but this model reads at most 4. Shorten the prompt or ask for fewer new tokens.", error.Message);
    }

    // A plain language model is a conditioned one without any cross-attention block.
    private static LanguageModel Load(ReferenceCase reference, string name)
    {
        var sub = reference.Sub(name);
        var config = sub["config"]!.AsObject();
        var none = new CrossAttentionOptions { EveryLayers = int.MaxValue };
        bool opt = ((string)reference.Json["lm"]!).StartsWith("OPT", StringComparison.Ordinal);
        LanguageModel decoder = opt
            ? new OptDecoder(ReferenceModels.Opt(config), audioWidth: 8, none)
            : new Qwen2Decoder(ReferenceModels.Qwen2(config), audioWidth: 8, none);
        string prefix = (string)sub["weight_prefix"]!;
        using var weights = new PlainWeights(reference.OpenWeights((string)sub["weights"]!, prefix), opt ? "model.decoder." : "model.");
        ModuleWeights.Fill(decoder, weights);
        decoder.eval();
        return decoder;
    }

    /// <summary>A plain language model's layers under the names of conditioned ones.</summary>
    private sealed class PlainWeights(IWeightSource plain, string path) : IWeightSource
    {
        private readonly Dictionary<string, string> _plainNames = plain.Weights.Keys.ToDictionary(n => Conditioned(n, path));

        public string Origin => plain.Origin;

        public IReadOnlyDictionary<string, WeightInfo> Weights =>
            _plainNames.ToDictionary(p => p.Key, p => plain.Weights[p.Value] with { Name = p.Key });

        public Tensor Read(string name, ScalarType? type = null) => plain.Read(_plainNames[name], type);

        public void Dispose() => plain.Dispose();

        private static string Conditioned(string name, string path)
        {
            if (name.StartsWith(path, StringComparison.Ordinal))
                name = name[path.Length..];
            string[] parts = name.Split('.');
            return parts[0] == "layers" ? string.Join('.', [.. parts[..2], "decoder_layer", .. parts[2..]]) : name;
        }
    }
}
