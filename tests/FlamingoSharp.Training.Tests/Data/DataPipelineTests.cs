using System.Globalization;
using System.Text.Json;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Tests.Data;

/// <summary>Golden texts and orders: tests/ReferenceVectors, kind data-pipeline (the datasets of Audio Flamingo 1 and 2).</summary>
[Trait("Category", "Reference")]
public sealed class DataPipelineTests
{
    private static readonly Tokenizer Tokenizer = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));

    public static TheoryData<string> Cases => ReferenceSet.Cases("data-pipeline");

    [Theory, MemberData(nameof(Cases))]
    public void Data_sets_are_mixed_to_the_same_virtual_epochs(string id)
    {
        var expected = Read(id);
        var blend = BlendOf(expected);
        Assert.All(expected.GetProperty("epochs").EnumerateObject(), epoch =>
        {
            var items = blend.Epoch(int.Parse(epoch.Name, CultureInfo.InvariantCulture));
            Assert.Equal(epoch.Value.EnumerateArray().Select(Describe), items.Select(Describe));
        });
    }

    [Theory, MemberData(nameof(Cases))]
    public void Training_texts_are_worded_as_the_reference_words_them(string id)
    {
        var expected = Read(id);
        var blend = BlendOf(expected);
        var composer = new SampleComposer(blend.Entries);
        var clap = expected.GetProperty("clap_config");
        int maxWindows = clap.GetProperty("max_num_window").GetInt32(), slots = clap.GetProperty("max_num_fewshot").GetInt32();
        var epochs = new Dictionary<int, IReadOnlyList<DatasetItem>>();
        Assert.All(expected.GetProperty("train_samples").EnumerateArray(), golden =>
        {
            int epoch = golden.GetProperty("epoch").GetInt32();
            if (!epochs.TryGetValue(epoch, out var items))
                epochs[epoch] = items = blend.Epoch(epoch);
            var item = items[golden.GetProperty("index").GetInt32()];
            var sample = composer.Training(item, new NumpyGenerator(0));

            Assert.Equal(golden.GetProperty("text").GetString(), sample.Prompt.ToText(Tokenizer.Special));
            Assert.Equal(SampleComposer.MaxTokens, golden.GetProperty("tokenizer_kwargs").GetProperty("max_length").GetInt32());
            Assert.Equal(golden.GetProperty("windows").GetInt32(), slots * maxWindows);
            Assert.Equal(golden.GetProperty("mask_sum").GetDouble(), sample.Sounds.Count * maxWindows); // every stub sound fills all windows
            Assert.Equal(sample.Sounds.Count, sample.Prompt.Sounds);
            AssertIdsFollow(sample.Prompt);
        });
    }

    [Theory, MemberData(nameof(Cases))]
    public void Validation_texts_come_in_the_same_order_and_wording(string id)
    {
        var expected = Read(id);
        var composer = new SampleComposer(BlendOf(expected).Entries);
        var configs = expected.GetProperty("valid_dataset_config");
        Assert.Equal(SampleComposer.ValidationMaxTokens, expected.GetProperty("val_max_length_kwarg").GetInt32());
        Assert.All(expected.GetProperty("val_samples").EnumerateObject(), golden =>
        {
            var config = configs.GetProperty(golden.Name);
            var options = config.ValueKind == JsonValueKind.True ? null : AugmentationOptions.Read(config, defaultPrefixProbability: 1);
            string split = golden.Name.EndsWith("test", StringComparison.Ordinal) ? "test" : "val";
            var items = Blend.Validation(golden.Name, DataRoot(expected), Open(expected));
            var texts = items.Select(i => composer.Validation(i, split, options, new NumpyGenerator(0)).Prompt.ToText(Tokenizer.Special));
            Assert.Equal(golden.Value.EnumerateArray().Select(t => t.GetString()), texts);
        });
    }

    [Theory, MemberData(nameof(Cases))]
    public void Prefixes_name_the_task(string id) =>
        Assert.All(Read(id).GetProperty("prefixes").EnumerateObject(), p => Assert.Equal(p.Value.GetString(), TaskPrefix.Of(p.Name)));

    [Theory, MemberData(nameof(Cases))]
    public void Released_inference_prompts_are_the_same(string id) =>
        Assert.All(Read(id).GetProperty("inference_templates_af1").EnumerateArray(), golden =>
        {
            var item = golden.GetProperty("item");
            string prefix = item.GetProperty("prefix").GetString()!;
            var prompt = item.TryGetProperty("dialogue", out var dialogue)
                ? DialogueFormat.Af1Inference.Render(Rounds(dialogue), prefix)
                : PromptFormat.Af1Inference.Ask(prefix, item.GetProperty("prompt").GetString()!);
            Assert.Equal(golden.GetProperty("text").GetString(), prompt.ToText(Tokenizer.Special));
            AssertIdsFollow(prompt);
        });

    [Theory, MemberData(nameof(Cases))]
    public void Dialogues_are_taught_in_the_same_form(string id)
    {
        var golden = Read(id).GetProperty("chat_training_template");
        var item = golden.GetProperty("item");
        var example = new Example { Name = item.GetProperty("name").GetString()!, Dialogue = Rounds(item.GetProperty("dialogue")) };
        var sample = new SampleComposer([]).Training(new DatasetItem("x-Dialog", [example]), new NumpyGenerator(0));
        Assert.Equal(golden.GetProperty("text").GetString(), sample.Prompt.ToText(Tokenizer.Special));
        Assert.Equal(SampleComposer.MaxTokens, golden.GetProperty("max_length").GetInt32());
    }

    [Theory, MemberData(nameof(Cases))]
    public void Audio_Flamingo_2_has_its_own_form(string id)
    {
        var special = Tokenizer.Special with { Bos = null, Eos = new SpecialToken(9, "<|endoftext|>") };
        var training = Read(id).GetProperty("af2_training_template");
        var item = training.GetProperty("item");
        Assert.Equal(training.GetProperty("text").GetString(),
            PromptFormat.Af2.Ask("ignored", item.GetProperty("prompt").GetString()!, item.GetProperty("output").GetString()!).ToText(special));
        var inference = Read(id).GetProperty("af2_inference_template");
        Assert.Equal(inference.GetProperty("text").GetString(), PromptFormat.Af2.Ask("", inference.GetProperty("prompt").GetString()!).ToText(special));
    }

    [Theory, MemberData(nameof(Cases))]
    public void Random_draws_are_those_of_numpy(string id) =>
        Assert.All(Read(id).GetProperty("numpy_default_rng").EnumerateObject(), golden =>
        {
            ulong seed = ulong.Parse(golden.Name, CultureInfo.InvariantCulture);

            var raw = new NumpyGenerator(seed);
            Assert.All(golden.Value.GetProperty("raw_uint64").EnumerateArray(),
                v => Assert.Equal(ulong.Parse(v.ToString(), CultureInfo.InvariantCulture), raw.Next64()));

            var uniform = new NumpyGenerator(seed);
            Assert.All(golden.Value.GetProperty("random5").EnumerateArray(), v => Assert.Equal(v.GetDouble(), uniform.NextDouble()));

            int[] numbers = [.. Enumerable.Range(0, golden.Value.GetProperty("shuffle_range20").GetArrayLength())];
            new NumpyGenerator(seed).Shuffle(numbers);
            Assert.Equal(golden.Value.GetProperty("shuffle_range20").EnumerateArray().Select(v => v.GetInt32()), numbers);

            string[] texts = [.. Enumerable.Range(0, golden.Value.GetProperty("shuffle_11_strings").GetArrayLength()).Select(i => $"{i}")];
            new NumpyGenerator(seed).Shuffle(texts);
            Assert.Equal(golden.Value.GetProperty("shuffle_11_strings").EnumerateArray().Select(v => v.GetString()), texts);

            int i = 0;
            Assert.All(golden.Value.GetProperty("choice_p_ab_0_9_0_1").EnumerateArray(),
                v => Assert.Equal(v.GetString(), new NumpyGenerator(seed + (ulong)i++).Choice(["a", "b"], [0.9, 0.1])));
        });

    private static void AssertIdsFollow(Prompt prompt) =>
        Assert.Equal(Tokenizer.EncodeWithSpecialTokens(prompt.ToText(Tokenizer.Special)), prompt.Encode(Tokenizer));

    private static JsonElement Read(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        using var document = JsonDocument.Parse(File.ReadAllBytes(reference.Set.PathOf((string)reference.Json["expected"]!)));
        return document.RootElement.Clone();
    }

    private static string DataRoot(JsonElement expected) => expected.GetProperty("data_root").GetString()!;

    private static Func<string, JsonElement> Open(JsonElement expected) => name => expected.GetProperty("manifests").GetProperty(name);

    private static Blend BlendOf(JsonElement expected) => new(
        Blend.ReadEntries(expected.GetProperty("blending_config")), expected.GetProperty("global_weight").GetDouble(), DataRoot(expected), Open(expected));

    private static List<DialogueRound> Rounds(JsonElement dialogue) => [.. dialogue.EnumerateArray().Select(r =>
        new DialogueRound(r.GetProperty("user").GetString()!, r.TryGetProperty("assistant", out var a) ? a.GetString() : null))];

    private static string Describe(DatasetItem item) => string.Join('\n',
        item.Examples.Select(e => $"{e.Name}|{e.Prompt}|{e.Output}")
#pragma warning disable CA1308 // the vectors write these two words in lower case
            .Prepend($"{item.Task}|{item.Choice?.ToString().ToLowerInvariant()}"));
#pragma warning restore CA1308

    private static string Describe(JsonElement item)
    {
        string[] Texts(string name) => item.GetProperty(name) is var v && v.ValueKind == JsonValueKind.Array
            ? [.. v.EnumerateArray().Select(t => t.GetString()!)]
            : [v.GetString()!];
        string[] names = Texts("name"), prompts = Texts("prompt"), outputs = Texts("output");
        return string.Join('\n', names.Select((n, i) => $"{n}|{prompts[i]}|{outputs[i]}")
            .Prepend($"{item.GetProperty("task").GetString()}|{item.GetProperty("interleaved").GetString()}"));
    }
}
