using System.Text.Json.Serialization;

namespace FlamingoSharp.Retrieval;

/// <summary>Source-generated JSON of what stores keep as text.</summary>
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(EncoderIdentity))]
internal sealed partial class StoreJson : JsonSerializerContext;
