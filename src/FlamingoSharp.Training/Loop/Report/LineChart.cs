using System.Globalization;
using System.Net;
using System.Text;

namespace FlamingoSharp.Training;

/// <summary>One curve of a chart.</summary>
/// <param name="Name">In the legend.</param> <param name="Points">In the order of X; those that are no finite number are left out.</param>
/// <param name="Dots">Marks every point, for few of them.</param>
internal sealed record ChartSeries(string Name, IReadOnlyList<(double X, double Y)> Points, bool Dots = false);

/// <summary>Curves as an SVG picture that stands in a page: no script, and the page's colours.</summary>
internal static class LineChart
{
    private const int Width = 760, Height = 300, Left = 64, Right = 12, Top = 14, Bottom = 40; // units of the picture

    private const int MostPoints = 400; // more than a curve's width shows

    /// <summary>Draws curves over steps.</summary>
    /// <param name="title">Read to those who cannot see it.</param> <param name="series">At least one point in all, or the picture says that there is none.</param>
    public static string Svg(string title, params IReadOnlyList<ChartSeries> series)
    {
        var curves = series.Select(s => s with { Points = Thin([.. s.Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y))]) }).ToList();
        var all = curves.SelectMany(c => c.Points).ToList();
        var svg = new StringBuilder();
        Line(svg, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">");
        if (all.Count == 0)
            return svg.Append("<text x=\"20\" y=\"40\">There is nothing to draw.</text></svg>").ToString();

        var (x, xStep) = Range(all.Min(p => p.X), all.Max(p => p.X), 8, whole: true);
        var (y, yStep) = Range(all.Min(p => p.Y), all.Max(p => p.Y), 5, whole: false);
        for (double tick = y.Low; tick <= y.High + yStep / 2; tick += yStep)
        {
            Line(svg, $"<path class=\"grid\" d=\"M{Left} {Y(tick):0.#}H{Width - Right}\"/>");
            Line(svg, $"<text class=\"tick\" x=\"{Left - 6}\" y=\"{Y(tick) + 4:0.#}\" text-anchor=\"end\">{Number(tick, yStep)}</text>");
        }
        for (double tick = x.Low; tick <= x.High + xStep / 2; tick += xStep)
            Line(svg, $"<text class=\"tick\" x=\"{X(tick):0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{tick:#,0}</text>");
        Line(svg, $"<text class=\"tick\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">step</text>");
        for (int i = 0; i < curves.Count; i++)
        {
            string path = string.Join('L', curves[i].Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.#} {Y(p.Y):0.#}")));
            if (curves[i].Points.Count > 1)
                Line(svg, $"<path class=\"curve c{i % 4}\" d=\"M{path}\"/>");
            foreach (var point in curves[i].Dots || curves[i].Points.Count == 1 ? curves[i].Points : [])
                Line(svg, $"<circle class=\"dot c{i % 4}\" cx=\"{X(point.X):0.#}\" cy=\"{Y(point.Y):0.#}\" r=\"3\"><title>step {point.X:#,0}: {point.Y:0.####}</title></circle>");
            if (curves.Count > 1)
                Line(svg, $"<text class=\"key c{i % 4}\" x=\"{Width - Right}\" y=\"{Top + 14 + 17 * i}\" text-anchor=\"end\">{WebUtility.HtmlEncode(curves[i].Name)}</text>");
        }
        return svg.Append("</svg>").ToString();

        double X(double value) => Left + (value - x.Low) / (x.High - x.Low) * (Width - Left - Right);
        double Y(double value) => Height - Bottom - (value - y.Low) / (y.High - y.Low) * (Height - Top - Bottom);
    }

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Number(double tick, double step) => step < 1e-3
        ? tick.ToString(tick == 0 ? "0" : "0.#e0", CultureInfo.InvariantCulture)
        : Math.Round(tick, 6).ToString("#,0.####", CultureInfo.InvariantCulture);

    // Round numbers, about as many as asked for; curves of one value get a range around it.
    private static ((double Low, double High) Range, double Step) Range(double low, double high, int ticks, bool whole)
    {
        if (high - low < 1e-12 * Math.Max(1, Math.Abs(high)))
            (low, high) = (low - (whole ? 1 : Math.Max(1e-3, Math.Abs(low) / 10)), high + (whole ? 1 : Math.Max(1e-3, Math.Abs(high) / 10)));
        double rough = (high - low) / ticks, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        double step = power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        if (whole)
            step = Math.Max(1, step);
        return ((Math.Floor(low / step) * step, Math.Ceiling(high / step) * step), step);
    }

    // A long curve becomes means of equal stretches.
    private static List<(double X, double Y)> Thin(List<(double X, double Y)> points)
    {
        if (points.Count <= MostPoints)
            return points;
        int stretch = (points.Count + MostPoints - 1) / MostPoints;
        return [.. points.Chunk(stretch).Select(c => (c.Average(p => p.X), c.Average(p => p.Y)))];
    }
}
