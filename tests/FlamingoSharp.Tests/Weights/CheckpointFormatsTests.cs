using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FlamingoSharp.TestKit;
using FlamingoSharp.Weights;
using static TorchSharp.torch;

namespace FlamingoSharp.Tests.Weights;

/// <summary>Golden files: the case of kind checkpoint-formats, written by torch.save, by the reference's trainer, and by hand.</summary>
[Trait("Category", "Reference")]
public sealed partial class CheckpointFormatsTests
{
    public static TheoryData<string, string> Files => ReferenceSet.SubCases("checkpoint-formats", property: "files");

    public static TheoryData<string> Sets => ReferenceSet.Cases("checkpoint-formats");

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Files)), NoTensorLeak]
    public void A_file_loads_exactly_or_is_refused_with_one_clear_error(string id, string file)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var sub = reference.Sub(file, "files");
        string path = reference.Set.PathOf(file), expect = (string)sub["expect"]!;
        if (expect.StartsWith("reject", StringComparison.Ordinal))
        {
            AssertClear(Assert.Throws<FlamingoException>(() => LoadAll(path)), path);
            return;
        }
        Assert.StartsWith("load", expect, StringComparison.Ordinal);
        try
        {
            Compare(reference, sub, path);
        }
        catch (FlamingoException e) when (expect.Contains("reject", StringComparison.Ordinal))
        {
            AssertClear(e, path);
        }
        Assert.False(File.Exists(Path.Combine(Path.GetDirectoryName(path)!, "..", "..", "evil.txt")));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Sets))]
    public void The_older_form_loads_too(string id)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var legacy = FilesOf(reference).Where(f => ((string)f["format"]!).Contains("legacy", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(legacy);
        Assert.All(legacy, f => Compare(reference, f, reference.Set.PathOf((string)f["file"]!)));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Sets))]
    public void Hostile_files_are_refused_by_the_name_they_want_to_call(string id)
    {
        var reference = ReferenceSet.Current.Case(id);
        var hostile = FilesOf(reference).Where(f => (string?)f["expect"] == "reject without executing").ToList();
        Assert.NotEmpty(hostile);
        Assert.All(hostile, f => Assert.Matches("names '[^']*', which no checkpoint needs; nothing was run",
            Assert.Throws<FlamingoException>(() => Checkpoint.Open(reference.Set.PathOf((string)f["file"]!))).Message));
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Sets))]
    public void Parts_named_together_are_one_checkpoint(string id)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        string[] parts = [.. FilesOf(reference).Where(f => ((string?)f["description"] ?? "").StartsWith("part ", StringComparison.Ordinal))
            .Select(f => reference.Set.PathOf((string)f["file"]!)).Order(StringComparer.Ordinal)];
        Assert.NotEmpty(parts);
        using var merged = Checkpoint.Open(parts);
        using var expected = reference.OpenExpected();
        Assert.Equal(Names(expected, "full/").Order(), merged.Weights.Keys.Order());
        foreach (string name in merged.Weights.Keys)
            AssertSame(expected.Read("full/" + name), merged.Read(name), name);
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Sets))]
    public void The_list_form_of_metadata_reads_like_the_dictionary_form(string id)
    {
        using var scope = NewDisposeScope();
        var reference = ReferenceSet.Current.Case(id);
        var folder = FilesOf(reference).Single(f => ((string)f["format"]!).StartsWith("AF2 folder", StringComparison.Ordinal));
        using var copy = new TemporaryFolder();
        foreach (string file in Directory.EnumerateFiles(reference.Set.PathOf((string)folder["file"]!)))
            File.Copy(file, copy.At(Path.GetFileName(file)));
        File.Move(copy.At("metadata_list_form.json"), copy.At("metadata.json"), overwrite: true);
        Compare(reference, folder, copy.Path);
    }

    private static void Compare(ReferenceCase reference, JsonObject sub, string path)
    {
        using var expected = reference.OpenExpected();
        using var found = Checkpoint.Open(path);
        string prefix = ((string?)sub["tensor_prefix"] ?? "").Split(' ')[0];
        switch (sub["keys"])
        {
            case JsonArray names:
                Assert.Equal(names.Select(n => ((string)n!).Replace("module.", "", StringComparison.Ordinal)).Order(), found.Weights.Keys.Order());
                break;
            case JsonValue count:
                Assert.Equal((int)count, found.Weights.Count);
                break;
            default:
                if (prefix.Length > 0 && !Directory.Exists(path))
                    Assert.Equal(Names(expected, prefix).Order(), found.Weights.Keys.Order());
                break;
        }
        if (sub["keys_after"] is JsonArray after)
        {
            using var audio = new RenamedSource(Checkpoint.Open(path), n =>
                n.Contains("audio", StringComparison.Ordinal) ? n.Replace("audio_branch.", "", StringComparison.Ordinal) : null);
            Assert.Equal(after.Select(n => (string)n!).Order(), audio.Weights.Keys.Order());
            Assert.All(audio.Weights.Keys, k => Assert.True(NameMap.Canonical("audio_branch." + k) == (NameMap.IsComputed(k) ? null : "clap.nvclap." + k)));
        }
        if (sub["epoch"] is { } epoch)
            Assert.Equal((long)epoch, Assert.IsType<TorchCheckpoint>(found).Epoch);
        Assert.NotEmpty(found.Weights);
        foreach (var (name, info) in found.Weights)
        {
            if (sub["keys_after"] is not null && !name.Contains("audio", StringComparison.Ordinal))
                continue; // the other branch of a CLAP checkpoint, of which nothing is stored
            var wanted = prefix.Length > 0 ? expected.Read(prefix + name) : ByHand(sub, info, expected);
            if (info.Type == ScalarType.BFloat16)
                wanted = wanted.to_type(ScalarType.BFloat16).to_type(ScalarType.Float32);
            var tensor = found.Read(name);
            Assert.Equal(info.Type, tensor.dtype);
            AssertSame(wanted, tensor, name);
            if (info.Type != wanted.dtype)
                AssertSame(wanted, found.Read(name, wanted.dtype), name); // converted while it is read
        }
    }

    /// <summary>Small files whose content the vectors' README describes instead of storing it.</summary>
    private static Tensor ByHand(JsonObject sub, WeightInfo info, SafeTensorsReader expected)
    {
        var clap = expected.Read("clapstyle/base");
        if (info.Name.EndsWith("relative_position_index", StringComparison.Ordinal))
            return arange(info.Count, ScalarType.Int64).reshape([.. info.Shape]);
        if (info.Shape.SequenceEqual(clap.shape))
            return clap;
        if (info.Name.EndsWith("bn0.weight", StringComparison.Ordinal))
            return clap[0];
        if (Literal().Match((string?)sub["description"] ?? "") is { Success: true } literal && literal.Groups["name"].Value == info.Name)
        {
            var rows = JsonNode.Parse(literal.Groups["rows"].Value)!.AsArray();
            return tensor(rows.SelectMany(r => r!.AsArray()).Select(v => (float)v!).ToArray(), [rows.Count, rows[0]!.AsArray().Count]);
        }
        Assert.Equal([2, 3], info.Shape);
        return arange(6, ScalarType.Float32).reshape(2, 3);
    }

    private static void AssertSame(Tensor wanted, Tensor found, string name)
    {
        Assert.True(found.is_contiguous(), name);
        found = (wanted.dtype, found.dtype) switch // half and bfloat16 are given widened, and so is int8
        {
            (ScalarType.Float32, ScalarType.Float16 or ScalarType.BFloat16) or (ScalarType.Int32, ScalarType.Int8) => found.to_type(wanted.dtype),
            _ => found,
        };
        Assert.Equal(wanted.dtype, found.dtype);
        Assert.Equal(wanted.shape, found.shape);
        if (found.numel() > 0)
            TensorAssert.Close(wanted, found, 0, name);
    }

    private static void LoadAll(string path)
    {
        using var scope = NewDisposeScope();
        using var source = Checkpoint.Open(path);
        foreach (string name in source.Weights.Keys)
            source.Read(name).Dispose();
    }

    private static void AssertClear(FlamingoException e, string path)
    {
        Assert.Equal(FlamingoErrorKind.Model, e.Kind);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains("byte", e.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<JsonObject> FilesOf(ReferenceCase reference) => reference.Json["files"]!.AsArray().Select(f => f!.AsObject());

    private static IEnumerable<string> Names(SafeTensorsReader source, string prefix) =>
        source.Weights.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).Select(k => k[prefix.Length..]);

    [GeneratedRegex(@"(?<name>\w+) = (?<rows>\[\[.*\]\])")]
    private static partial Regex Literal();
}
