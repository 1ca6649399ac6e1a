using System.Text.Json.Nodes;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

/// <summary>The folders that Hugging Face models come in.</summary>
public sealed class CheckpointFolderTests
{
    [Fact, NoTensorLeak]
    public void An_OPT_folder_reads_under_our_names()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("config.json"), """{"model_type": "opt"}""");
        var data = rand(2, 3);
        SafeTensorsWriter.WriteFolder(folder.Path, new MemorySource(
            ("model.decoder.layers.0.fc1.weight", data), ("model.decoder.embed_tokens.weight", rand(4, 3)), ("lm_head.weight", rand(4, 3))));
        using var source = Checkpoint.OpenCanonical(folder.Path);
        Assert.Equal(["lang_encoder.model.decoder.layers.0.decoder_layer.fc1.weight", "lang_encoder.model.decoder.embed_tokens.weight"], source.Weights.Keys);
        TensorAssert.Close(data, source.Read("lang_encoder.model.decoder.layers.0.decoder_layer.fc1.weight"), 0);
    }

    [Fact, NoTensorLeak]
    public void Parts_in_torch_form_read_through_their_index()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var map = new JsonObject();
        int expected = 0;
        foreach (int part in (int[])[1, 2])
        {
            string file = $"pytorch_model-0000{part}-of-00002.bin";
            File.Copy(Path.Combine(ReferenceSet.RepositoryRoot, "tests", "ReferenceVectors", "checkpoint-formats", $"af1_part{part}.pt"), folder.At(file));
            using var source = Checkpoint.Open(folder.At(file));
            expected += source.Weights.Count;
            foreach (string name in source.Weights.Keys)
                map[name] = file;
        }
        string index = folder.At("pytorch_model.bin.index.json");
        File.WriteAllText(index, new JsonObject { ["weight_map"] = map.DeepClone() }.ToJsonString());
        using (var whole = Checkpoint.Open(folder.Path))
            Assert.Equal(expected, whole.Weights.Count);

        map["absent.weight"] = "pytorch_model-00001-of-00002.bin";
        File.WriteAllText(index, new JsonObject { ["weight_map"] = map.DeepClone() }.ToJsonString());
        Assert.Contains("says that 'absent.weight' is in pytorch_model-00001-of-00002.bin, but it is not; download the folder again.",
            Assert.Throws<FlamingoException>(() => Checkpoint.Open(folder.Path)).Message, StringComparison.Ordinal);
    }
}
