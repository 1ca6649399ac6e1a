using System.Text.Json.Serialization;

namespace FlamingoSharp.Training.Sounds;

/// <summary>A question about a sound: a line of <c>qa.jsonl</c>.</summary>
public sealed record Question
{
    /// <summary>The question's own key.</summary>
    [JsonRequired]
    public string Id { get; init; } = "";

    /// <summary>The clip or recipe asked about.</summary>
    [JsonRequired]
    public string Ref { get; init; } = "";

    /// <summary>What is asked for: presence, language, count, order …</summary>
    [JsonRequired]
    public string Type { get; init; } = "";

    /// <summary>The question, with its question mark.</summary>
    [JsonRequired]
    [JsonPropertyName("question")]
    public string Text { get; init; } = "";

    /// <summary>The right answer; one of <see cref="Choices"/> where there are any.</summary>
    [JsonRequired]
    public string Answer { get; init; } = "";

    /// <summary>The answers to choose from; empty for an open question.</summary>
    public IReadOnlyList<string> Choices { get; init => field = value ?? []; } = []; // the generated reader passes null for what is not there

    /// <summary>Which part of the data this belongs to: train, val or test.</summary>
    [JsonRequired]
    public string Split { get; init; } = "";
}
