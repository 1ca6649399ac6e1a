using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

/// <summary>Audio Flamingo 2 as it is published: chunks, the encoder's file and the folder of the language model.</summary>
public sealed class ReleasedFormTests : IDisposable
{
    private readonly ReleasedModel _model = new();

    public void Dispose() => _model.Dispose();

    [Theory, NoTensorLeak]
    [InlineData(ReleasedChunks.Trained, true)] // the checkpoint brings the embedding, in its final size
    [InlineData(ReleasedChunks.TrainedWithoutEmbedding, true)] // the language model's embedding is cut
    [InlineData(ReleasedChunks.Everything, true)]
    [InlineData(ReleasedChunks.Everything, false)] // then the language model need not be named
    public void All_sources_become_one_model_and_what_was_trained_counts(ReleasedChunks held, bool languageModel)
    {
        using var scope = NewDisposeScope();
        using var released = new ReleasedModel(held);
        var request = Request(released);
        var result = Conversion.Run(languageModel ? request : request with { LanguageModel = null });
        using var found = result.Folder.OpenWeights();
        Assert.Equal(released.Expected.Weights.Keys.Order(StringComparer.Ordinal), found.Weights.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, info) in released.Expected.Weights)
        {
            Assert.Equal(info.Shape, found.Weights[name].Shape);
            TensorAssert.Close(released.Expected.Read(name), found.Read(name), 0, name);
        }
        using var flamingo = Flamingo.Load(result.Folder.Path);
        Assert.Equal("af2-toy", flamingo.Config.Name);
    }

    [Fact]
    public void The_folder_alone_opens_as_encoder_and_chunks()
    {
        using var source = Checkpoint.Open(_model.CheckpointFolder);
        Assert.Contains("clap.nvclap.bn0.weight", source.Weights.Keys); // of the encoder's file alone
        Assert.DoesNotContain(source.Weights.Keys, k => k.Contains("text_branch", StringComparison.Ordinal) || k.Contains("audio_projection", StringComparison.Ordinal));
        Assert.DoesNotContain(source.Weights.Keys, k => k.Contains("decoder_layer", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_missing_is_named_with_what_to_do()
    {
        var request = Request(_model);
        Assert.StartsWith($"{_model.CheckpointFolder} does not fit the model: 25 tensors are missing, 0 unexpected, 0 of another shape. "
            + "Only what was trained of the language model is in it: convert the checkpoint together with the folder of the plain language model.",
            Refused(request with { LanguageModel = null }), StringComparison.Ordinal);

        File.Delete(_model.EncoderPath);
        Assert.Contains("The sound encoder (clap.*) is not whole: convert the checkpoint together with the encoder's file.", Refused(request), StringComparison.Ordinal);
        Assert.Contains("the audio transformer (audio_transformer*) is not in it", Refused(request with { Checkpoint = [_model.LanguageModelFolder] }), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_encoders_are_refused()
    {
        var request = Request(_model);
        Assert.Equal($"There are two sound encoders, other.pt and the checkpoint's {_model.EncoderPath}. "
            + "Name none, or convert the checkpoint's safe_ckpt folder with the one.", Refused(request with { Encoder = "other.pt" }));
        File.Copy(_model.EncoderPath, _model.EncoderPath.Replace("16", "9", StringComparison.Ordinal));
        Assert.Equal($"{Path.GetDirectoryName(_model.EncoderPath)}: holds 2 encoders (epoch_16.pt, epoch_9.pt); keep the one that belongs to the checkpoint.",
            Refused(request));
    }

    [Theory]
    [InlineData("""{"../clap_ckpt/epoch_16": []}""", ": byte 0: '../clap_ckpt/epoch_16.safetensors' is no plain file name.")]
    [InlineData("""["/etc/passwd"]""", ": byte 0: '/etc/passwd.safetensors' is no plain file name.")]
    [InlineData("""["..\\chunk_0"]""", ": byte 0: '..\\chunk_0.safetensors' is no plain file name.")]
    [InlineData("""["chunk_0", "chunk_0"]""", ": byte 0: lists the chunk 'chunk_0' twice; download the folder again.")]
    [InlineData("""{"chunk_0": [], "chunk_0": []}""", ": byte 0: lists the chunk 'chunk_0' twice; download the folder again.")]
    [InlineData("""{"chunk_0": ["a.weight"]}""", ": byte 0: says that 'a.weight' is in chunk_0.safetensors, but it is not; download the folder again.")]
    [InlineData("{}", "safe_ckpt: lists no parts.")]
    [InlineData("[]", "safe_ckpt: lists no parts.")]
    [InlineData("", ": does not list the parts of a checkpoint: ")]
    [InlineData("""["chunk_0""", ": does not list the parts of a checkpoint: ")]
    [InlineData("17", ": does not list the parts of a checkpoint: ")]
    [InlineData("null", ": does not list the parts of a checkpoint: ")]
    [InlineData("[1]", ": does not list the parts of a checkpoint: ")]
    [InlineData("""{"chunk_0": [null, 3]}""", ": does not list the parts of a checkpoint: ")]
    public void A_hostile_or_damaged_list_of_chunks_ends_in_one_clear_error(string metadata, string message)
    {
        File.WriteAllText(_model.MetadataPath, metadata);
        string found = Refused(Request(_model));
        Assert.Contains(message, found, StringComparison.Ordinal);
        Assert.StartsWith(Path.GetDirectoryName(_model.MetadataPath)!, found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_or_doubled_chunk_ends_in_one_clear_error()
    {
        string all = File.ReadAllText(_model.MetadataPath);
        File.WriteAllText(_model.MetadataPath, """["chunk_0", "chunk_1", "chunk_2", "chunk_3"]""");
        string folder = Path.GetDirectoryName(_model.MetadataPath)!;
        Assert.Equal($"{folder}: chunk_3.safetensors is missing, which metadata.json lists; download it too.", Refused(Request(_model)));

        File.Copy(_model.Chunk("chunk_1"), _model.Chunk("chunk_3"));
        Assert.Matches("metadata.json: byte 0: lists two files that hold '[^']+', chunk_1.safetensors and chunk_3.safetensors; they are not of one checkpoint.", Refused(Request(_model)));

        File.WriteAllText(_model.MetadataPath, all);
        using (var cut = File.OpenWrite(_model.Chunk("chunk_1")))
            cut.SetLength(cut.Length - 1);
        Assert.StartsWith(_model.Chunk("chunk_1") + ": byte ", Refused(Request(_model)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_no_reasonable_size_is_not_read()
    {
        using (var huge = File.OpenWrite(_model.MetadataPath))
            huge.SetLength((64L << 20) + 1);
        Assert.Equal($"{_model.MetadataPath}: has 67108865 bytes, but a list of parts has at most 67108864.", Refused(Request(_model)));
    }

    private static ConversionRequest Request(ReleasedModel model) => new()
    {
        Checkpoint = [model.CheckpointFolder],
        LanguageModel = model.LanguageModelFolder,
        VocabularySize = ReleasedModel.Config.Language.VocabularySize,
        TokenizerFolder = model.LanguageModelFolder,
        Config = ReleasedModel.Config.ToJson(),
        Check = ReleasedModel.Config.CheckWeights,
        Output = model.NewPath(),
    };

    private static string Refused(ConversionRequest request)
    {
        var error = Assert.Throws<FlamingoException>(() => Conversion.Run(request));
        Assert.False(Path.Exists(request.Output));
        return error.Message;
    }
}
