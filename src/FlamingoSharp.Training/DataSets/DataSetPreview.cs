using FlamingoSharp.Text;
using FlamingoSharp.Training.Data;

namespace FlamingoSharp.Training.DataSets;

/// <summary>A piece of a training text.</summary>
/// <param name="Text">As the tokens spell it, structural tokens included.</param>
/// <param name="IsLearnt">True where the loss counts these tokens.</param>
public sealed record PreviewPiece(string Text, bool IsLearnt);

/// <summary>An item as the model will see it.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Item">Its place in the manifest's file.</param>
/// <param name="Sounds">The recordings with the second at which each begins, shots first.</param>
/// <param name="Pieces">The text, cut where learning begins and ends.</param>
/// <param name="Tokens">Tokens of the text, those that are cut off not counted.</param>
/// <param name="TokensLearnt">Tokens that the loss counts.</param>
/// <param name="TokensCut">Tokens beyond the longest text.</param>
public sealed record PreviewSample(
    string Manifest, string Item, IReadOnlyList<(string Path, double Start)> Sounds, IReadOnlyList<PreviewPiece> Pieces, int Tokens, int TokensLearnt, int TokensCut);

/// <summary>Shows data sets as a model is taught them: wording, shots and label mask are those of training.</summary>
public static class DataSetPreview
{
    /// <summary>Draws samples.</summary>
    /// <param name="set">The data set.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="count">Samples of each manifest at most.</param>
    /// <param name="split">Only this split; null shows all.</param>
    /// <param name="seed">Another seed draws others.</param>
    /// <exception cref="FlamingoException">The split is unknown, a manifest is corrupt, or the tokenizer is of a model with another form of texts.</exception>
    public static IEnumerable<PreviewSample> Draw(DataSet set, Tokenizer tokenizer, int count = 3, string? split = null, int seed = 0)
    {
        var mask = LabelMask.For(tokenizer.Special);
        foreach (var manifest in split is null ? set.Manifests : set.Of(split, withShots: null))
        {
            // Shots are worded as the task's training set is, whichever split asks.
            var composer = new SampleComposer([manifest.Entry with { Name = $"{manifest.Task}/train" }]);
            var items = set.Read(manifest).Items;
            int[] order = [.. Enumerable.Range(0, items.Count)];
            new NumpyGenerator(NumpyGenerator.SeedOf(manifest.Name) + (ulong)seed).Shuffle(order);
            foreach (int i in order.Take(count))
                yield return Of(set, manifest.Name, items[i], composer.Training(items[i].Value, new NumpyGenerator((ulong)(seed + i))), tokenizer, mask);
        }
    }

    private static PreviewSample Of(
        DataSet set, string manifest, KeyValuePair<string, DatasetItem> item, TrainingSample sample, Tokenizer tokenizer, LabelMask mask)
    {
        long[] whole = sample.Encode(tokenizer, int.MaxValue), ids = whole.Length > SampleComposer.MaxTokens ? whole[..SampleComposer.MaxTokens] : whole;
        long[] labels = mask.Apply(ids);
        List<PreviewPiece> pieces = [];
        for (int from = 0, to; from < ids.Length; from = to)
        {
            bool learnt = labels[from] != LabelMask.Ignored;
            for (to = from + 1; to < ids.Length && (labels[to] != LabelMask.Ignored) == learnt;)
                to++;
            pieces.Add(new(tokenizer.Decode([.. ids[from..to].Select(id => (int)id)]), learnt));
        }
        return new(manifest, item.Key, [.. sample.Sounds.Select(s => (set.SoundPath(s.Name), s.Start))], pieces,
            ids.Length, labels.Count(l => l != LabelMask.Ignored), whole.Length - ids.Length);
    }
}
