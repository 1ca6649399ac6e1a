using System.Reflection;
using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Cli;

/// <summary>Writes a whole model folder with weights made by rule: real sizes, no download, no sense in its answers.</summary>
internal static class SyntheticModel
{
    private const string ShippedTokenizer = "tokenizer.json";

    /// <summary>Writes the folder.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="folder">Must not exist, or be empty.</param>
    /// <param name="tokenizerFolder">Null takes the shipped tokenizer of 4,103 tokens; rows of the embedding beyond it spell nothing.</param>
    /// <param name="type">Element type of the weights.</param>
    /// <param name="told">Is told the progress, from 0 to 1.</param>
    /// <param name="cancellation">Stops; nothing is left then.</param>
    /// <returns>Number of tensors, and bytes of the folder.</returns>
    /// <exception cref="FlamingoException">The folder exists and holds something, or the tokenizer does not fit.</exception>
    public static (int Tensors, long Bytes) Write(
        FlamingoConfig config, string folder, string? tokenizerFolder, ScalarType type, Action<double> told, CancellationToken cancellation)
    {
        using var source = SyntheticCheckpoint.Of($"synthetic {config.Name}", config.DescribeWeights());
        var progress = new CallbackProgress<WeightProgress>(p => told((double)p.BytesDone / Math.Max(1, p.BytesTotal)));
        ModelFolder.Write(folder, into =>
        {
            File.WriteAllText(Path.Combine(into, "config.json"), config.ToJson());
            if (tokenizerFolder is null)
                WriteShippedTokenizer(into);
            else
                Tokenizer.Load(tokenizerFolder).Save(into);
            int size = Tokenizer.Load(into).VocabularySize;
            if (size > config.Language.VocabularySize)
            {
                throw new FlamingoException(FlamingoErrorKind.Usage,
                    $"'{tokenizerFolder}' has {size} tokens but {config.Name} has only {config.Language.VocabularySize} rows. Name another tokenizer, or none.");
            }
            SafeTensorsWriter.WriteFolder(into, source, new SafeTensorsOptions { Type = type, Progress = progress }, cancellation);
        });
        return (source.Weights.Count, Directory.EnumerateFiles(folder).Sum(f => new FileInfo(f).Length));
    }

    private static void WriteShippedTokenizer(string folder)
    {
        using var shipped = Assembly.GetExecutingAssembly().GetManifestResourceStream(ShippedTokenizer)!;
        using var file = File.Create(Path.Combine(folder, ShippedTokenizer));
        shipped.CopyTo(file);
    }
}
