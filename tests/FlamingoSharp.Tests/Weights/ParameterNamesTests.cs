using System.Text.Json.Nodes;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Tests.Weights;

/// <summary>Golden files: the state-dict names and shapes of the published models (case parameter-names).</summary>
public sealed class ParameterNamesTests
{
    public static TheoryData<string> Files =>
        [.. ReferenceSet.Current.OfKind("parameter-names").SelectMany(c => c.Json["files"]!.AsArray().Select(f => (string)f!))];

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Files)), Trait("Category", "Reference")]
    public void Every_name_is_read_as_what_it_is(string file)
    {
        var (json, shapes) = Read(file);
        Assert.Equal((int)json["count"]!, shapes.Count);
        foreach (var (name, shape) in shapes.Where(s => NameMap.IsCopy(s.Key)))
        {
            string ending = "." + NameMap.OriginalOf(name)!;
            var original = Assert.Single(shapes, s => s.Key.EndsWith(ending, StringComparison.Ordinal) && !NameMap.IsCopy(s.Key));
            Assert.Equal(original.Value, shape);
        }
        if (json["duplicates"] is not null)
            Assert.True(shapes.Keys.Count(NameMap.IsCopy) > shapes.Count / 3);
        if ((long?)json["unique_parameter_count_without_clap"] is { } unique)
            Assert.Equal(unique, shapes.Where(s => !NameMap.IsCopy(s.Key) && !NameMap.IsComputed(s.Key)).Sum(s => Count(s.Value)));
        foreach (var tensor in json["tensors"]!.AsArray())
        {
            string name = (string)tensor!["name"]!;
            if ((string?)tensor["kind"] is { } kind)
                Assert.Equal(kind == "constant buffer", NameMap.IsComputed(name));
            Assert.Equal(NameMap.IsCopy(name) || NameMap.IsComputed(name), NameMap.Canonical(Foreign(file, name)) is null);
        }
    }

    /// <summary>Sizes: the files on the hosting site, as the vectors' SPEC gives them (§10.4); each is its tensors and about 0.1 MB of container.</summary>
    [Fact]
    public void The_five_published_parts_hold_consecutive_fifths_of_the_names()
    {
        var (_, shapes) = Read(Path.Combine(ReferenceSet.RepositoryRoot, "tests", "ReferenceVectors", "names", "af1_full.json"));
        long[] published = [3328736090, 3482750938, 3898927066, 3357326874, 3591232538];
        var parts = shapes.Values.Chunk(shapes.Count / published.Length).Select(p => p.Sum(s => 4 * Count(s))).ToArray();
        Assert.Equal(published.Length, parts.Length);
        Assert.All(published.Zip(parts), p => Assert.InRange(p.First - p.Second, 90_000, 110_000));
        long unique = shapes.Where(s => !NameMap.IsCopy(s.Key) && !NameMap.IsComputed(s.Key)).Sum(s => Count(s.Value));
        Assert.Equal(2_221_939_760, unique);
    }

    [Theory]
    [InlineData("model.decoder.layers.3.fc1.weight", "lang_encoder.model.decoder.layers.3.decoder_layer.fc1.weight")]
    [InlineData("decoder.layers.3.self_attn.q_proj.bias", "lang_encoder.model.decoder.layers.3.decoder_layer.self_attn.q_proj.bias")]
    [InlineData("decoder.embed_positions.weight", "lang_encoder.model.decoder.embed_positions.weight")]
    [InlineData("model.decoder.final_layer_norm.bias", "lang_encoder.model.decoder.final_layer_norm.bias")]
    [InlineData("model.layers.0.mlp.up_proj.weight", "lang_encoder.model.layers.0.decoder_layer.mlp.up_proj.weight")]
    [InlineData("model.embed_tokens.weight", "lang_encoder.model.embed_tokens.weight")]
    [InlineData("model.norm.weight", "lang_encoder.model.norm.weight")]
    [InlineData("lm_head.weight", null)]
    [InlineData("lang_encoder.lm_head.weight", null)]
    [InlineData("lang_encoder.old_decoder_blocks.1.fc1.weight", null)]
    [InlineData("lang_encoder.model.decoder.layers.1.decoder_layer.fc1.weight", "lang_encoder.model.decoder.layers.1.decoder_layer.fc1.weight")]
    [InlineData("audio_transformer.position_enc.pos_table", null)]
    [InlineData("clap.projection.linear1.weight", "clap.projection.linear1.weight")]
    [InlineData("gpt.transformer.wte.weight", null)]
    [InlineData("clap_project.clap_project.0.weight", null)]
    [InlineData("audio_branch.bn0.weight", "clap.nvclap.bn0.weight")]
    [InlineData("clap.afclap.bn0.weight", "clap.nvclap.bn0.weight")]
    [InlineData("text_branch.embeddings.word_embeddings.weight", null)]
    [InlineData("something.else", "something.else")]
    public void Foreign_names_read_in_ours(string name, string? expected) => Assert.Equal(expected, NameMap.Canonical(name));

    /// <summary>The audio branch of AF-CLAP is listed without the prefix that it has in its checkpoint.</summary>
    private static string Foreign(string file, string name) =>
        file.Contains("afclap", StringComparison.Ordinal) ? "audio_branch." + name : name;

    private static (JsonObject Json, Dictionary<string, long[]> Shapes) Read(string file)
    {
        var json = JsonNode.Parse(File.ReadAllText(ReferenceSet.Current.PathOf(file)))!.AsObject();
        return (json, json["tensors"]!.AsArray().ToDictionary(t => (string)t!["name"]!, t => t!["shape"]!.AsArray().Select(d => (long)d!).ToArray()));
    }

    private static long Count(long[] shape) => shape.Aggregate(1L, (a, b) => a * b);
}
