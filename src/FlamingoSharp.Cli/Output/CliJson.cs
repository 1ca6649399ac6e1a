using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using FlamingoSharp.Cli.Segments;
using FlamingoSharp.Runtime;

namespace FlamingoSharp.Cli.Output;

/// <summary>Source-generated JSON of everything that <c>--json</c> prints: one object a line.</summary>
[JsonSerializable(typeof(AnswerLine))]
[JsonSerializable(typeof(ChatLine))]
[JsonSerializable(typeof(SegmentWork))]
[JsonSerializable(typeof(BenchLine))]
[JsonSerializable(typeof(InspectLine))]
[JsonSerializable(typeof(WrittenLine))]
[JsonSerializable(typeof(PulledLine))]
[JsonSerializable(typeof(DataSetLine))]
[JsonSerializable(typeof(DataReportLine))]
[JsonSerializable(typeof(PreviewLine))]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class CliJson : JsonSerializerContext
{
    /// <summary>Names with underscores, text as it is, absent values left out.</summary>
    public static CliJson Lines { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
