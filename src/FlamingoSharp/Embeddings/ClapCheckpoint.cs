using FlamingoSharp.Encoders;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Embeddings;

/// <summary>Tells from the names and shapes of a published checkpoint which CLAP it holds, and in which size.</summary>
internal static class ClapCheckpoint
{
    private const int TextHeadWidth = 64; // of every RoBERTa
    private const string Trunk = "clap.nvclap.", Words = "text_branch.embeddings.word_embeddings.weight";

    /// <summary>The configuration of a checkpoint.</summary>
    /// <param name="source">Under the names of <see cref="NameMap.Clap"/>.</param>
    /// <exception cref="FlamingoException">It is neither LAION's nor Microsoft's CLAP.</exception>
    public static ClapConfig Recognise(IWeightSource source)
    {
        if (source.Weights.ContainsKey(Trunk + "bn0.weight") && source.Weights.ContainsKey(Words))
            return Laion(source);
        if (source.Weights.ContainsKey("clap.base.htsat.bn0.weight") && source.Weights.ContainsKey("clap.projection.linear1.weight"))
            return ClapConfig.Microsoft;
        throw new FlamingoException(FlamingoErrorKind.Model,
            $"{source.Origin} is no checkpoint of a known CLAP: expected LAION's (audio_branch.* and text_branch.* with RoBERTa) or Microsoft's sound encoder (audio_encoder.* or clap.base.htsat.*).");
    }

    private static ClapConfig Laion(IWeightSource source)
    {
        long Size(string name, int dimension) => source.Weights.TryGetValue(name, out var info) && info.Shape.Count > dimension
            ? info.Shape[dimension]
            : throw new FlamingoException(FlamingoErrorKind.Model, $"{source.Origin}: there is no tensor '{name}' of {dimension + 1} dimensions, which every LAION-CLAP has.");
        int Count(string start) => Enumerable.Range(0, int.MaxValue)
            .TakeWhile(i => source.Weights.Keys.Any(n => n.StartsWith($"{start}{i}.", StringComparison.Ordinal))).Count();

        int stages = Count(Trunk + "layers.");
        int width = (int)Size(Words, 1);
        return ClapConfig.Laion with
        {
            Audio = HtsatOptions.LaionClap with
            {
                EmbedDim = (int)Size(Trunk + "patch_embed.proj.weight", 0),
                PatchSize = (int)Size(Trunk + "patch_embed.proj.weight", 2),
                Depths = [.. Enumerable.Range(0, stages).Select(i => Count($"{Trunk}layers.{i}.blocks."))],
                Heads = [.. Enumerable.Range(0, stages).Select(i => (int)Size($"{Trunk}layers.{i}.blocks.0.attn.relative_position_bias_table", 1))],
                Classes = source.Weights.ContainsKey(Trunk + "tscam_conv.weight") ? (int)Size(Trunk + "tscam_conv.weight", 0) : 0,
                Fusion = source.Weights.Keys.Any(n => n.StartsWith(Trunk + "patch_embed.fusion_model.", StringComparison.Ordinal)),
            },
            Text = new TextTowerOptions
            {
                VocabularySize = (int)Size(Words, 0),
                Width = width,
                Layers = Count("text_branch.encoder.layer."),
                Heads = Math.Max(1, width / TextHeadWidth),
                FeedForward = (int)Size("text_branch.encoder.layer.0.intermediate.dense.weight", 0),
                Positions = (int)Size("text_branch.embeddings.position_embeddings.weight", 0),
            },
            Dimensions = (int)Size("text_projection.2.weight", 0),
        };
    }
}
