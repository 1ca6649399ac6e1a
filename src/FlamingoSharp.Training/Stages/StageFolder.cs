using System.Text;
using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Training.Stages;

/// <summary>Writes a model in training into the folder of its run, so that it can be used as it stands.</summary>
internal static class StageFolder
{
    /// <summary>Writes every part, the weights last; each appears whole.</summary>
    /// <param name="folder">Made if it is not there.</param> <param name="config">The model's form.</param> <param name="tokenizer">Its tokenizer.</param>
    /// <param name="weights">Its weights.</param> <param name="type">Element type to write.</param>
    /// <exception cref="FlamingoException">The folder cannot be written.</exception>
    public static void Write(string folder, FlamingoConfig config, Tokenizer tokenizer, IWeightSource weights, ScalarType type)
    {
        try
        {
            Directory.CreateDirectory(folder);
            WriteText(folder, "config.json", config.ToJson() + "\n");
            ModelFolder.SaveTokenizer(folder, tokenizer.Save);
            SafeTensorsWriter.WriteFolder(folder, weights, new SafeTensorsOptions { Type = type });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Model, $"{folder} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Writes a small text file as a whole.</summary>
    public static void WriteText(string folder, string name, string text)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.Write(Path.Combine(folder, name), file => file.Write(Encoding.UTF8.GetBytes(text)));
    }
}
