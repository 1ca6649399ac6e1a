using System.Text.Json;
using FlamingoSharp.TestKit;
using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.Tests.Data;

public sealed class ManifestTests
{
    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static JsonElement Plain(string data, int total = 1) =>
        Json($$"""{"dataset_path":"/data/Set","split_path":"audio","flamingo_task":"Set-AQA","total_num":{{total}},"data":{{data}}}""");

    [Fact]
    public void Examples_carry_path_text_and_start()
    {
        var manifest = Manifest.Read("Set-AQA/train", "/data", _ => Plain("""{"0":{"name":"a.wav","prompt":"P","output":"O","audio_start":"1.5"}}"""));
        Assert.Equal(new Example { Name = "Set/audio/a.wav", Prompt = "P", Output = "O", AudioStart = 1.5 },
            Assert.Single(manifest.Items[0].Value.Examples) with { Dialogue = new Example { Name = "" }.Dialogue });
    }

    [Fact]
    public void Dialogues_are_read()
    {
        var manifest = Manifest.Read("Set-Dialog/train", "/data", _ => Plain("""{"0":{"name":"a.wav","dialogue":[{"user":"u","assistant":"a"},{"user":"v"}]}}"""));
        Assert.Equal([new DialogueRound("u", "a"), new DialogueRound("v")], manifest.Items[0].Value.Examples[0].Dialogue);
    }

    [Fact]
    public void A_manifest_outside_the_data_root_is_refused() => Assert.Equal(
        "The manifest 'Set-AQA/train' lies in '/data/Set', which is not below the data root '/elsewhere'.",
        Assert.Throws<FlamingoException>(() => Manifest.Read("Set-AQA/train", "/elsewhere", _ => Plain("{}"))).Message);

    [Fact]
    public void A_manifest_without_its_header_is_refused_by_name() => Assert.StartsWith(
        "The manifest 'Set-AQA/train' is not of the expected form: ",
        Assert.Throws<FlamingoException>(() => Manifest.Read("Set-AQA/train", "/data", _ => Json("{}"))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_shot_that_is_not_there_is_named()
    {
        var interleaved = Json("""
            {"dataset_path":"/data/Set","split_path":"audio","flamingo_task":"Set-AQA","total_num":1,
             "interleaved_data":{"0":{"generation_index_in_split":0,"fewshot_indices_in_train":[7]}}}
            """);
        var plain = Plain("""{"0":{"name":"a.wav","prompt":"P","output":"O"}}""");
        var e = Assert.Throws<FlamingoException>(() => Manifest.Read("Set-AQA/interleaved_random-val", "/data", n => n.Contains("interleaved", StringComparison.Ordinal) ? interleaved : plain));
        Assert.Equal("The manifest 'Set-AQA/train' has no example 7, which another refers to.", e.Message);
    }

    [Fact]
    public void A_manifest_shorter_than_it_states_is_refused()
    {
        var blend = new Blend([new BlendEntry { Name = "Set-AQA/train" }], 1, "/data", _ => Plain("""{"0":{"name":"a.wav"}}""", total: 2));
        Assert.Equal("The manifest 'Set-AQA/train' has no item with the key 1; expected keys from 0 to its number of items less one.",
            Assert.Throws<FlamingoException>(() => blend.Epoch(0)).Message);
    }

    [Fact]
    public void A_weight_of_nothing_is_refused() => Assert.Equal(
        "The data set 'Set-AQA/train' has the weight 0; expected more than 0.",
        Assert.Throws<FlamingoException>(() => new Blend([new BlendEntry { Name = "Set-AQA/train", Weight = 0 }], 1, "/data", _ => Plain("{}"))).Message);

    [Fact]
    public void A_missing_file_is_named() => Assert.Equal(
        $"There is no manifest '{Path.Combine("nowhere", "Set-AQA/train.json")}'.",
        Assert.Throws<FlamingoException>(() => Manifest.InFolder("nowhere")("Set-AQA/train")).Message);

    [Fact]
    public void All_epochs_together_pass_over_a_data_set_as_often_as_its_weight_says()
    {
        string data = $"{{{string.Join(',', Enumerable.Range(0, 10).Select(i => $"\"{i}\":{{\"name\":\"{i}.wav\"}}"))}}}";
        var blend = new Blend([new BlendEntry { Name = "Set-AQA/train", Weight = 3 }], 0.125, "/data", _ => Plain(data, total: 10));
        var counts = Enumerable.Range(0, 8).SelectMany(blend.Epoch).CountBy(i => i.Examples[0].Name).ToList();
        Assert.Equal(30, counts.Sum(c => c.Value));
    }

    [Fact]
    public void A_text_too_long_is_cut_off_on_the_right()
    {
        var mini = Tokenizer.Load(Path.Combine(ReferenceSet.RepositoryRoot, "models", "flamingo-mini"));
        var sample = new TrainingSample([("a.wav", 0)], PromptFormat.Af1Training.Ask("", new string('x', 4000), "yes"));
        Assert.Equal(SampleComposer.MaxTokens, sample.Encode(mini).Length);
        Assert.Equal([2, 2, mini.Special.Audio.Id], sample.Encode(mini, 3));
        Assert.All(LabelMask.For(mini.Special).Apply(sample.Encode(mini)), label => Assert.Equal(LabelMask.Ignored, label));
    }
}
