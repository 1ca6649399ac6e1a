namespace FlamingoSharp.Training.DataSets;

/// <summary>The files of a sound catalogue.</summary>
public sealed record CatalogueFilesOptions
{
    /// <summary>Recorded clips: <c>catalogue.jsonl</c>.</summary>
    public required string Catalogue { get; init; }

    /// <summary>The folder of the clips' packages: a clip's file is <c>AudioFolder/package/path</c>.</summary>
    public required string AudioFolder { get; init; }

    /// <summary>Recipes: <c>synthesis.jsonl</c>; null for none.</summary>
    public string? Synthesis { get; init; }

    /// <summary>Questions about both: <c>qa.jsonl</c>; null for none.</summary>
    public string? Questions { get; init; }

    /// <summary>True takes only sounds whose licences ask for no more than to be named: CC0, CC-BY, MIT, BSD, public domain and the like.</summary>
    public bool PermissiveOnly { get; init; }
}
