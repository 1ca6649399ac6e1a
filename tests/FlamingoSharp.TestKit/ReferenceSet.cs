using System.Text.Json.Nodes;
using FlamingoSharp.Weights;
using Xunit;

namespace FlamingoSharp.TestKit;

/// <summary>
/// A folder of golden vectors: the one in tests/ReferenceVectors, or another of the same form named by FLAMINGO_REFERENCE.
/// Cases are discovered from its cases.json, never listed in code.
/// </summary>
public sealed class ReferenceSet
{
    private readonly JsonObject _root;

    private ReferenceSet(string folder)
    {
        Folder = folder;
        _root = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "cases.json")))!.AsObject();
    }

    /// <summary>The checkout that the tests run in.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>The set in use.</summary>
    public static ReferenceSet Current { get; } = new(
        Environment.GetEnvironmentVariable("FLAMINGO_REFERENCE") is { Length: > 0 } named
            ? named
            : Path.Combine(RepositoryRoot, "tests", "ReferenceVectors"));

    /// <summary>The folder that paths in cases.json are relative to.</summary>
    public string Folder { get; }

    /// <summary>The string that stands in front of every synthetic name of this set.</summary>
    public string Salt => (string?)_root["recipe"]!["salt"] ?? "";

    /// <summary>Cases of one kind, whole.</summary>
    public IEnumerable<ReferenceCase> OfKind(string kind) =>
        _root["cases"]!.AsArray().Select(c => new ReferenceCase(this, c!.AsObject())).Where(c => c.Kind == kind);

    /// <summary>The case with an id.</summary>
    public ReferenceCase Case(string id) =>
        _root["cases"]!.AsArray().Select(c => new ReferenceCase(this, c!.AsObject())).Single(c => c.Id == id);

    /// <summary>Theory data: (case id, sub-case name) for every sub-case of a kind, narrowed by <paramref name="where"/>.</summary>
    public static TheoryData<string, string> SubCases(string kind, Func<ReferenceCase, bool>? where = null, string property = "cases")
    {
        var rows = new TheoryData<string, string>();
        foreach (var reference in Current.OfKind(kind).Where(c => where?.Invoke(c) ?? true))
        {
            foreach (var sub in reference.Json[property]!.AsArray())
                rows.Add(reference.Id, (string)(sub!["name"] ?? sub["id"] ?? sub["file"])!);
        }
        return rows;
    }

    /// <summary>Theory data: one row for each whole case of a kind.</summary>
    public static TheoryData<string> Cases(string kind, Func<ReferenceCase, bool>? where = null)
    {
        var rows = new TheoryData<string>();
        foreach (var reference in Current.OfKind(kind).Where(c => where?.Invoke(c) ?? true))
            rows.Add(reference.Id);
        return rows;
    }

    /// <summary>Full path of a file of the set.</summary>
    public string PathOf(string relative) => Path.Combine(Folder, relative);

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "FlamingoSharp.slnx")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException($"No FlamingoSharp.slnx above {AppContext.BaseDirectory}.");
    }
}

/// <summary>One case of cases.json.</summary>
public sealed class ReferenceCase(ReferenceSet set, JsonObject json)
{
    /// <summary>The set that the case belongs to.</summary>
    public ReferenceSet Set => set;

    /// <summary>The whole entry.</summary>
    public JsonObject Json => json;

    /// <summary>Its id, e.g. af1-tiny.</summary>
    public string Id => (string)json["id"]!;

    /// <summary>Which runner reads it.</summary>
    public string Kind => (string)json["kind"]!;

    /// <summary>True for cases of Audio Flamingo 2 (README of the vectors, "Reading cases.json").</summary>
    public bool IsAf2 => Id.StartsWith("af2", StringComparison.Ordinal) || Id.EndsWith("af2", StringComparison.Ordinal)
        || Id.EndsWith("-v2", StringComparison.Ordinal);

    /// <summary>The sub-case with a name (or id, or file).</summary>
    public JsonObject Sub(string name, string property = "cases") =>
        json[property]!.AsArray().Select(c => c!.AsObject()).Single(c => (string?)(c["name"] ?? c["id"] ?? c["file"]) == name);

    /// <summary>Opens the file of expected results.</summary>
    public SafeTensorsReader OpenExpected() => new(set.PathOf((string)json["expected"]!));

    /// <summary>The tolerance of a sub-case, or of the case, or the 1e-4 that the vectors' README gives where none is stated.</summary>
    public double Tolerance(JsonNode? sub = null) =>
        (double?)sub?["recommended_atol"] ?? (double?)json["recommended_atol"] ?? 1e-4;

    /// <summary>Opens synthetic weights, by default those that the case names.</summary>
    /// <param name="file">A weights.json; null takes the case's.</param>
    /// <param name="prefix">Stripped from each name after hashing.</param>
    public SyntheticCheckpoint OpenWeights(string? file = null, string prefix = "") =>
        SyntheticWeightSource.FromJson(set.PathOf(file ?? (string)json["weights"]!), prefix);
}
