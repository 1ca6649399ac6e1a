using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

public sealed class ModuleWeightsTests
{
    [Fact, NoTensorLeak]
    public void A_module_built_without_data_computes_with_the_tensors_of_the_checkpoint()
    {
        using var scope = NewDisposeScope();
        using var module = new Block(META);
        using var source = Source();
        ModuleWeights.Fill(module, source, "part.");

        var input = ones(1, 3);
        var linear = input.matmul(source.Read("part.first.weight").t()) + source.Read("part.first.bias");
        TensorAssert.Close(linear * source.Read("part.scale") + 1, module.forward(input), 1e-6);

        var named = module.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        var state = module.state_dict();
        foreach (string name in (string[])["scale", "first.weight", "first.bias", "norm.weight"])
        {
            TensorAssert.Close(source.Read("part." + name), named[name], 0, name);
            TensorAssert.Close(source.Read("part." + name), state[name], 0, name);
            Assert.IsType<Parameter>(named[name]);
        }
        TensorAssert.Close(source.Read("part.norm.running_mean"), state["norm.running_mean"], 0);
        TensorAssert.Close(source.Read("part.norm.running_mean"), module.Norm.running_mean!, 0);
        Assert.Equal([1f, 1f], module.get_buffer("table")!.data<float>().ToArray()); // computed by the module, kept
        Assert.False(named["frozen"].requires_grad);
        Assert.True(named["scale"].requires_grad);
    }

    [Fact, NoTensorLeak]
    public void A_filled_model_lists_each_part_once_under_its_name_in_the_checkpoint()
    {
        using var scope = NewDisposeScope();
        using var folder = new TinyModel();
        using var weights = ModelFolder.Open(folder.Folder).OpenWeights();
        using var model = TinyModel.Config.Build(soundToken: 0);
        ModuleWeights.Fill(model, weights);
        Assert.Equal(weights.Weights.Keys.Order(), model.state_dict().Keys.Where(name => !NameMap.IsComputed(name)).Order());
    }

    [Fact, NoTensorLeak]
    public void Tensors_arrive_in_the_wanted_element_type()
    {
        using var scope = NewDisposeScope();
        using var module = new Block(META);
        using var source = Source();
        ModuleWeights.Fill(module, source, "part.", ScalarType.BFloat16);
        Assert.All(module.parameters(), p => Assert.Equal(ScalarType.BFloat16, p.dtype));
    }

    [Fact, NoTensorLeak]
    public void A_tensor_that_two_modules_share_stays_shared_and_needs_one_name_only()
    {
        using var scope = NewDisposeScope();
        using var module = new Tied(META);
        using var source = new MemorySource(("b.weight", ones(2, 2)));
        ModuleWeights.Fill(module, source);
        Assert.Equal(module.A.weight!.Handle, module.B.weight!.Handle);
        Assert.Single(module.parameters());
    }

    [Fact, NoTensorLeak]
    public void A_checkpoint_that_does_not_fit_is_reported_by_module_and_leaves_the_module_alone()
    {
        using var scope = NewDisposeScope();
        using var module = new Block(META);
        using var source = new MemorySource(
            ("part.first.weight", ones(4, 3)), ("part.scale", ones(2)), ("part.odd.x", ones(1)), ("elsewhere.y", ones(1)),
            ("lang_encoder.lm_head.weight", ones(1)));
        var error = Assert.Throws<FlamingoException>(() => ModuleWeights.Fill(module, source, "part."));
        Assert.Equal(FlamingoErrorKind.Model, error.Kind);
        Assert.Equal(
            """
            memory does not fit the model: 6 tensors are missing, 1 unexpected, 1 of another shape.
              missing in the module itself (1): part.frozen [2]
            """.ReplaceLineEndings("\n").Replace("the module itself", "part", StringComparison.Ordinal),
            string.Join('\n', error.Message.Split('\n').Take(2)));
        Assert.Contains("missing in part.norm (4): part.norm.weight [2]; part.norm.bias [2]; part.norm.running_mean [2]; part.norm.running_var [2]", error.Message, StringComparison.Ordinal);
        Assert.Contains("of another shape in part.first (1): part.first.weight is [4, 3], the model wants [2, 3]", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("elsewhere", error.Message, StringComparison.Ordinal);
        Assert.All(module.parameters(), p => Assert.Equal(DeviceType.META, p.device_type));
    }

    [Fact, NoTensorLeak]
    public void A_read_that_fails_half_way_leaves_the_module_alone()
    {
        using var scope = NewDisposeScope();
        using var module = new Block(META);
        using var source = Source();
        source.FailAt = "part.first.bias";
        Assert.Throws<FlamingoException>(() => ModuleWeights.Fill(module, source, "part."));
        Assert.All(module.parameters(), p => Assert.Equal(DeviceType.META, p.device_type));
    }

    [Theory]
    [InlineData("conv_block1.conv1.weight", "This looks like a PANN checkpoint")]
    [InlineData("clap.base.htsat.bn0.weight", "This is the encoder only")]
    [InlineData("base_model.q_proj.lora_A.weight", "This looks like a LoRA adapter")]
    public void The_likely_cause_is_named(string name, string expected)
    {
        using var scope = NewDisposeScope();
        using var module = new Block(META);
        using var source = new MemorySource((name, ones(1)));
        Assert.Contains(expected, Assert.Throws<FlamingoException>(() => ModuleWeights.Fill(module, source)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_plain_language_model_vocabulary_is_recognised()
    {
        using var scope = NewDisposeScope();
        using var module = new Words(META);
        using var source = new MemorySource(("embed_tokens.weight", empty(50272, 1)));
        var error = Assert.Throws<FlamingoException>(() => ModuleWeights.Fill(module, source));
        Assert.Contains("The vocabulary has 50272 rows but the model wants 50268: this is the plain OPT vocabulary", error.Message, StringComparison.Ordinal);
    }

    private static MemorySource Source() => new(
        ("part.first.weight", rand(2, 3)), ("part.first.bias", rand(2)), ("part.scale", rand(2)), ("part.frozen", rand(2)),
        ("part.norm.weight", rand(2)), ("part.norm.bias", rand(2)), ("part.norm.running_mean", rand(2)), ("part.norm.running_var", rand(2)),
        ("part.norm.num_batches_tracked", tensor(7L)), ("other.x", rand(1)));

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        [ComponentName(Name = "first")] private readonly Linear _first;
        [ComponentName(Name = "norm")] public readonly BatchNorm1d Norm;
        [ComponentName(Name = "scale")] private readonly Parameter _scale;
        [ComponentName(Name = "frozen")] public readonly Parameter Frozen;
        private readonly Tensor _table;

        public Block(Device device)
            : base("block")
        {
            _first = nn.Linear(3, 2, device: device);
            Norm = nn.BatchNorm1d(2, device: device);
            _scale = new Parameter(empty(2, device: device));
            Frozen = new Parameter(empty(2, device: device), requires_grad: false);
            _table = ones(2);
            register_buffer("table", _table, persistent: false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return (_first.forward(input) * _scale + _table).MoveToOuterDisposeScope();
        }
    }

    private sealed class Tied : nn.Module
    {
        [ComponentName(Name = "a")] public readonly Linear A;
        [ComponentName(Name = "b")] public readonly Linear B;

        public Tied(Device device)
            : base("tied")
        {
            A = nn.Linear(2, 2, hasBias: false, device: device);
            B = nn.Linear(2, 2, hasBias: false, device: device);
            var own = B.weight;
            B.weight = A.weight;
            own!.Dispose();
            RegisterComponents();
        }
    }

    private sealed class Words : nn.Module
    {
        [ComponentName(Name = "embed_tokens")] public readonly Embedding Table;

        public Words(Device device)
            : base("words")
        {
            Table = nn.Embedding(50268, 1, device: device);
            RegisterComponents();
        }
    }
}
