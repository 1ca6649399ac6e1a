using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FlamingoSharp.Hub;

/// <summary>Under which licence a model stands, as its repository says.</summary>
public sealed record HubLicense
{
    /// <summary>Longest text that is shown, in bytes.</summary>
    internal const int MostBytes = 1 << 17;

    /// <summary>The repository, <c>org/name</c>.</summary>
    public required string Repository { get; init; }

    /// <summary>Its short name, e.g. <c>cc-by-nc-4.0</c>; null where the repository says nothing.</summary>
    public string? Name { get; init; }

    /// <summary>Where it can be read.</summary>
    public required string Link { get; init; }

    /// <summary>Its text, if the repository holds one.</summary>
    public string? Text { get; init; }

    /// <summary>The file of the text; null where there is none.</summary>
    internal string? File { get; init; }

    /// <summary>Stands for name and text: a licence that was changed is another one.</summary>
    internal string Digest => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Name}\n{Text}")));

    /// <summary>What it is, in half a sentence.</summary>
    public string Describe() => $"{Name ?? "no licence named"} ({Link})";

    /// <summary>Reads what the hub says about a model.</summary>
    internal static HubLicense Read(JsonElement root, HubModelId model, IReadOnlyList<string> files, Uri endpoint)
    {
        var card = root.TryGetProperty("cardData", out var data) && data.ValueKind == JsonValueKind.Object ? data : default;
        string? name = Word(card, "license");
        if (name is null && root.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array)
        {
            const string Tag = "license:";
            name = tags.EnumerateArray().Where(t => t.ValueKind == JsonValueKind.String).Select(t => t.GetString()!)
                .FirstOrDefault(t => t.StartsWith(Tag, StringComparison.Ordinal))?[Tag.Length..];
        }
        if (name is null or "other")
            name = Word(card, "license_name") ?? name;
        string? file = files.Where(f => !f.Contains('/', StringComparison.Ordinal))
            .Where(f => f.StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase) || f.StartsWith("LICENCE", StringComparison.OrdinalIgnoreCase))
            .OrderBy(f => f.Length).ThenBy(f => f, StringComparer.Ordinal).FirstOrDefault();
        string page = $"{endpoint.ToString().TrimEnd('/')}/{model.Repository}";
        return new HubLicense
        {
            Repository = model.Repository,
            Name = name is null ? null : HubText.Line(name),
            Link = Word(card, "license_link") is { } link && Uri.IsWellFormedUriString(link, UriKind.Absolute) ? HubText.Line(link)
                : file is null ? page : $"{page}/blob/{HubPath.Escape(model.Revision)}/{HubPath.Escape(file)}",
            File = file,
        };
    }

    private static string? Word(JsonElement card, string name)
    {
        if (card.ValueKind != JsonValueKind.Object || !card.TryGetProperty(name, out var value))
            return null;
        return value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Where(v => v.ValueKind == JsonValueKind.String).Select(v => v.GetString())),
            _ => null,
        };
    }
}
