using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using FlamingoSharp.Audio;
using FlamingoSharp.Models;
using FlamingoSharp.Retrieval;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Explain;

/// <summary>An explanation as one page of HTML that needs nothing else: sound, attention, examples, prompt.</summary>
public sealed record ExplanationPage
{
    /// <summary>The model that answered.</summary>
    public required FlamingoConfig Config { get; init; }

    /// <summary>The sound file.</summary>
    public required string File { get; init; }

    /// <summary>What was asked.</summary>
    public required string Question { get; init; }

    /// <summary>The answer, and what its tokens looked at.</summary>
    public required Explanation Explanation { get; init; }

    /// <summary>The part of the file that was heard, at the model's rate.</summary>
    public required Recording Recording { get; init; }

    /// <summary>The examples, in order; none where the question was asked alone.</summary>
    public ShotSet Shots { get; init; } = ShotSet.None;

    /// <summary>Writes the page; it appears whole or not at all.</summary>
    /// <param name="path">The file.</param> <param name="cancellation">Stops.</param>
    /// <exception cref="FlamingoException">The sound or an example cannot be read any more, or the page cannot be written.</exception>
    public void Write(string path, CancellationToken cancellation = default)
    {
        byte[] page = Encoding.UTF8.GetBytes(Build(cancellation));
        try
        {
            AtomicFile.Write(path, file => file.Write(page));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FlamingoException(FlamingoErrorKind.Input, $"The page '{path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary>The text of the page.</summary>
    internal string Build(CancellationToken cancellation)
    {
        int asked = Explanation.Stretches[^1].Sound;
        var own = Explanation.Stretches.Where(s => s.Sound == asked).ToList();
        (double, double)[] windows = [.. own.GroupBy(s => s.Window).Select(g => (g.Min(s => s.StartSeconds), g.Max(s => s.EndSeconds)))];
        double seconds = own.Max(s => s.EndSeconds);
        string page = Template();
        foreach (var (slot, text) in new (string, string)[]
        {
            ("title", Html($"{Question} – {Path.GetFileName(File)}")),
            ("question", Html(Question)),
            ("file", Html(Path.GetFileName(File))),
            ("model", Html(Config.Name)),
            ("answer", Html(Explanation.Answer.Text)),
            ("waveform", TimeDrawing.Waveform(Recording, seconds)),
            ("mel", Mel(seconds)),
            ("windows", TimeDrawing.Windows(windows, seconds)),
            ("sound", Html(string.Create(CultureInfo.InvariantCulture, $"{Recording.Describe()}. {windows.Length} window{(windows.Length == 1 ? "" : "s")} of {Config.Windows.LengthSeconds:0.##} s, heard {Explanation.Answer.SecondsHeard:0.0} s{(Shots.Entries.Count > 0 ? " with the examples" : "")}.{(Config.Windows.RepeatShort && windows.Length == 1 ? " A sound shorter than its window is heard repeated." : "")}"))),
            ("player", PlayableSound.Of(File, Recording.StartSeconds, seconds, cancellation)),
            ("truth", Html(string.Create(CultureInfo.InvariantCulture, $"Recomputed from the weights shown, every attention output differs from the model's own by at most {Explanation.Deviation:0.0e+0} of its largest value."))),
            ("shots", Examples(cancellation)),
            ("prompt", Html(Explanation.Prompt)),
            ("data", Data()),
        })
            page = page.Replace($"{{{{{slot}}}}}", text, StringComparison.Ordinal);
        return page;
    }

    private string Mel(double seconds)
    {
        // A picture as wide as the windows: what is not there is silence.
        double[] padded = new double[(int)Math.Max(Recording.Samples.Length, seconds * Recording.SampleRate)];
        Recording.Samples.CopyTo(padded, 0);
        return SpectrogramImage.DataUrl(SpectrogramImage.Of(Recording with { Samples = padded }, seconds, Config.Encoder.Mel));
    }

    private string Examples(CancellationToken cancellation)
    {
        if (Shots.Entries.Count == 0)
            return "";
        var rows = new StringBuilder();
        foreach (var shot in Shots.Entries)
        {
            rows.Append(CultureInfo.InvariantCulture, $"""
                <tr><td>{Html(shot.Answer)}</td><td class="number">{(shot.Similarity is { } s ? s.ToString("0.000", CultureInfo.InvariantCulture) : "–")}</td><td class="soft">{Html(Path.GetFileName(shot.Path))}</td><td class="player"><audio controls preload="none" src="{PlayableSound.Of(shot.Path, shot.StartSeconds, shot.DurationSeconds, cancellation)}"></audio></td></tr>
                """);
        }
        return $"""
            <section>
            <h2>The examples, in the order in which they were read</h2>
            <div class="scroll"><table><tr><th>answer shown</th><th>similarity</th><th>file</th><th></th></tr>{rows}</table></div>
            </section>
            """;
    }

    // Inside a script element, so that no text of a file can end it.
    private string Data() => JsonSerializer.Serialize(
        new PageData(
            [.. Shots.Entries.Select((e, i) => $"example {i + 1}: {e.Answer}"), Shots.Entries.Count > 0 ? "the sound asked about" : "the sound"],
            [.. Explanation.Stretches.Select(s => new PageStretch(s.Sound, Math.Round(s.StartSeconds, 3), Math.Round(s.EndSeconds, 3)))],
            [.. Explanation.Tokens.Select(t => new PageToken(t.Text, [.. t.Weights.Select(w => w.Select(x => MathF.Round(x, 5)).ToArray())]))]),
        PageJson.Default.PageData);

    private static string Html(string text) => WebUtility.HtmlEncode(text);

    private static string Template()
    {
        using var stream = typeof(ExplanationPage).Assembly.GetManifestResourceStream("explain.html")!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}

/// <summary>What the page draws the attention from.</summary>
internal sealed record PageData(IReadOnlyList<string> Sounds, IReadOnlyList<PageStretch> Stretches, IReadOnlyList<PageToken> Tokens);

/// <summary>A column.</summary>
internal sealed record PageStretch(int Sound, double Start, double End);

/// <summary>A row: [layer][column].</summary>
internal sealed record PageToken(string Text, IReadOnlyList<float[]> Weights);

/// <summary>Source-generated JSON of the page's data; the encoder escapes what could end a script element.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PageData))]
internal sealed partial class PageJson : JsonSerializerContext;
