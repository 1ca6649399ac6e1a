using System.Net;
using System.Text;
using FlamingoSharp.Weights;

namespace FlamingoSharp.Training;

/// <summary>A page in one file that needs nothing else, light or dark as its reader has it: sections, one below the other.</summary>
internal sealed class ReportPage(string title)
{
    /// <summary>Its name in a folder.</summary>
    public const string FileName = "report.html";

    private const int ManySections = 8; // more than one sees at a glance

    private readonly List<ReportSection> _sections = [];

    /// <summary>Adds sections at the end.</summary>
    public ReportPage Add(params IEnumerable<ReportSection> sections)
    {
        _sections.AddRange(sections);
        return this;
    }

    /// <summary>Writes the page into a folder.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string folder) => AtomicFile.Write(Path.Combine(folder, FileName), f => f.Write(Encoding.UTF8.GetBytes(Html())));

    /// <summary>The page.</summary>
    public string Html()
    {
        var html = new StringBuilder();
        html.Append($"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{WebUtility.HtmlEncode(title)}</title>\n<style>{Style}</style></head>\n<body><h1>{WebUtility.HtmlEncode(title)}</h1>\n");
        if (_sections.Count > ManySections)
            html.Append("<details><summary>Contents</summary><nav>").AppendJoin('\n', _sections.Select((s, i) => $"<a href=\"#s{i}\">{WebUtility.HtmlEncode(s.Title)}</a>")).Append("</nav></details>\n");
        for (int i = 0; i < _sections.Count; i++)
            html.Append($"<section id=\"s{i}\"><h2>{WebUtility.HtmlEncode(_sections[i].Title)}</h2>\n{_sections[i].Html}</section>\n");
        return html.Append("</body></html>\n").ToString();
    }

    private const string Style = """
        :root{color-scheme:light dark;--ink:#1d2129;--soft:#667;--line:#dde;--paper:#fff;--c0:#2a6fdb;--c1:#d9480f;--c2:#2b8a3e;--c3:#862e9c}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e8ee;--soft:#9aa;--line:#334;--paper:#14161b;--c0:#6ea8fe;--c1:#ff922b;--c2:#69db7c;--c3:#da77f2}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:860px;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:.2rem 0}
        .wide{overflow-x:auto}table{border-collapse:collapse}th,td{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}
        tr:empty,tr:has(>th:empty){display:none}th{color:var(--soft);font-weight:600}.number{text-align:right;font-variant-numeric:tabular-nums}td.number{white-space:nowrap}td:first-child{min-width:8rem}
        figure{margin:1rem 0}svg{width:100%;height:auto}figcaption,.tick,.expected,.prompt{color:var(--soft);fill:var(--soft);font-size:12px}
        .grid{stroke:var(--line);fill:none}.curve{fill:none;stroke-width:1.6;stroke-linejoin:round}.key{font-size:13px}
        .curve.c0{stroke:var(--c0)}.curve.c1{stroke:var(--c1)}.curve.c2{stroke:var(--c2)}.curve.c3{stroke:var(--c3)}
        .dot.c0,.key.c0{fill:var(--c0)}.dot.c1,.key.c1{fill:var(--c1)}.dot.c2,.key.c2{fill:var(--c2)}.dot.c3,.key.c3{fill:var(--c3)}
        .confusion td{width:2.2rem;min-width:2.2rem;height:2rem;padding:0;text-align:center;vertical-align:middle;border:1px solid var(--line)}
        .confusion .right{background:color-mix(in srgb,var(--c2) calc(var(--share)*70%),transparent)}
        .confusion .wrong{background:color-mix(in srgb,var(--c1) calc(var(--share)*70%),transparent)}
        .confusion .mixed{background:color-mix(in srgb,var(--c0) calc(var(--share)*70%),transparent)}
        pre{white-space:pre-wrap;background:color-mix(in srgb,var(--soft) 10%,transparent);padding:.5rem .8rem;border-radius:4px;font-size:12px;max-height:14rem;overflow:auto}
        nav{font-size:13px;columns:17rem}nav a{display:block;color:var(--c0);text-decoration:none}
        .confusion .across{vertical-align:bottom;padding:0}.across span{writing-mode:vertical-rl;transform:rotate(180deg);padding:.3rem 0}
        .confusion th{vertical-align:middle}h3{overflow-wrap:anywhere}
        .answers{margin-top:1rem;display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:1rem}
        .answer{border:1px solid var(--line);border-left:4px solid var(--soft);border-radius:4px;padding:.6rem}.answer p{margin:.2rem 0}
        .answer.right{border-left-color:var(--c2)}.answer.wrong{border-left-color:var(--c1)}
        .answer img{width:100%;height:96px;image-rendering:auto;border-radius:2px}
        """;
}
