using FlamingoSharp.Models;
using FlamingoSharp.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training.Stages;

/// <summary>What a stage starts from: its form, its tokenizer, its weights.</summary>
/// <param name="Name">What messages call it.</param> <param name="Config">Its form.</param> <param name="Tokenizer">How it reads and writes.</param>
/// <param name="OpenWeights">Opens the weights of a whole model under their canonical names; the caller disposes them.</param>
internal sealed record StartingModel(string Name, FlamingoConfig Config, Tokenizer Tokenizer, Func<IWeightSource> OpenWeights)
{
    private const int UnusedRows = 1024; // of an embedding that is filled up to a round number

    /// <summary>A whole model.</summary>
    /// <exception cref="FlamingoException">The folder is incomplete, or its parts do not belong together.</exception>
    public static StartingModel In(string folder)
    {
        var files = ModelFolder.Open(folder);
        var config = FlamingoConfig.Load(files.ConfigPath);
        var tokenizer = Tokenizer.Load(files.TokenizerFolder);
        // An embedding may be filled up to a round number of rows; a tokenizer of another model is further off than that.
        if (config.Language.VocabularySize - tokenizer.VocabularySize is < 0 or >= UnusedRows)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"'{folder}': the tokenizer has {tokenizer.VocabularySize} tokens but the language model {config.Language.VocabularySize} rows. The two do not belong together: put the tokenizer that the model was made with into the folder.");
        }
        return new StartingModel(folder, config, tokenizer, files.OpenWeights);
    }

    /// <summary>
    /// A bare language model and a bare encoder, as the reference starts pretraining. The embedding is cut, or grown by drawn rows, to the
    /// tokenizer's size; audio transformer and cross-attention get first values, their gates 0, so that the first answers are the language
    /// model's own.
    /// </summary>
    /// <exception cref="FlamingoException">One of them cannot be read, or they do not belong together.</exception>
    public static StartingModel Of(BareParts parts)
    {
        var language = LanguageModelFolder.Read(parts.LanguageModel);
        string spelling = parts.Tokenizer ?? parts.LanguageModel;
        var tokenizer = Tokenizer.Load(spelling);
        int rows = language.VocabularySize;
        if (rows <= tokenizer.LargestTextId || rows - tokenizer.VocabularySize >= UnusedRows)
        {
            throw new FlamingoException(FlamingoErrorKind.Model,
                $"The language model in '{parts.LanguageModel}' has {rows} rows but the tokenizer in '{spelling}' {tokenizer.VocabularySize} tokens. The two do not belong together: name the tokenizer that the language model was trained with.");
        }
        var form = parts.FormOf(language);
        form = form with { Language = form.Language with { VocabularySize = tokenizer.VocabularySize } };
        return new StartingModel($"{parts.LanguageModel} with {parts.Encoder}", form, tokenizer, () => parts.OpenWeights(form));
    }
}
