using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FlamingoSharp.Cli.Output;
using FlamingoSharp.Runtime;

namespace FlamingoSharp.Cli.Verbs;

/// <summary><c>flamingo doctor</c>: what there is to run on.</summary>
internal sealed class DoctorVerb : Verb
{
    private readonly Option<bool> _json = new("--json") { Description = "The report as one JSON object." };

    public DoctorVerb()
        : base("doctor", "Show versions, native libraries, processor, GPU and ffmpeg, with advice.", "flamingo doctor", "flamingo doctor --json") => Add(_json);

    protected override Task<int> RunAsync(ParseResult parse, CancellationToken cancellation)
    {
        var report = Doctor.Examine();
        if (parse.GetValue(_json))
            Terminal.Say(JsonSerializer.Serialize(report, CliJson.Lines.DoctorReport));
        else
            Print(report);
        return Task.FromResult(report.Problem is null ? ExitCode.Ok : ExitCode.Device);
    }

    private static void Print(DoctorReport report)
    {
        var rows = new Rows
        {
            { "FlamingoSharp", report.FlamingoSharp },
            { ".NET", report.Dotnet },
            { "system", report.System },
            { "processor", $"{report.Processor}, {report.Cores} cores: {string.Join(", ", report.CpuFeatures)}" },
            { "memory", Quantity.Bytes(report.MemoryBytes) },
            { "TorchSharp", report.TorchSharp },
            { "libtorch", report.LibTorch ?? "not usable" },
            { "libtorch folder", report.LibTorchFolder ?? "left to TorchSharp" },
            { "native library", $"{report.TorchSharpLibrary ?? "left to TorchSharp"}{(report.Patched ? " (patched for this system's libstdc++)" : "")}" },
            { "CUDA", report.CudaDevices == 0 ? "no GPU is visible to this libtorch" : string.Create(CultureInfo.InvariantCulture, $"{report.CudaDevices} GPUs") },
            { "matrix product", string.Create(CultureInfo.InvariantCulture, $"{report.MatrixProductGflops:0.#} GFLOP/s, float32, {report.Threads} threads") },
            { "ffmpeg", report.Ffmpeg ?? "not found" },
            { "model", ModelLocator.Find(null) ?? "none; give --model DIR" },
        };
        rows.Print();
        Terminal.Say("paths tried");
        foreach (string tried in report.Tried)
            Terminal.Say($"  {tried.ReplaceLineEndings(" ")}");
        if (report.Problem is { } problem)
            Terminal.Fail(problem);
        Terminal.Say(report.Advice.Count == 0 ? "advice: none needed" : "advice");
        foreach (string advice in report.Advice)
            Terminal.Say($"  {advice}");
    }
}
