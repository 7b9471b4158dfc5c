using System.Globalization;
using System.Security;
using System.Text;

namespace Tally.Bench.Results;

/// <param name="Blue">The length of its first part, in the chart's unit.</param>
/// <param name="Grey">The length of what follows it.</param>
/// <param name="Text">The value as people read it.</param>
internal sealed record Bar(string Name, double Blue, double Grey, string Text);

/// <summary>An SVG for the documentation.</summary>
internal sealed record BarChart(string Title, string Subtitle, IReadOnlyList<Bar> Bars)
{
    private const int Width = 730, NamesEnd = 290, BarsBegin = 300, LongestBar = 260;
    private const int Top = 58, Step = 36, Thickness = 24, Bottom = 14;

    public string Svg()
    {
        var height = Top + Bars.Count * Step + Bottom;
        var text = new StringBuilder();
        Add($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" width="{Width}" height="{height}"
              role="img" aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="13">
              <title id="t">{Escaped(Title)}</title>
              <desc id="d">{Escaped(string.Join("; ", Bars.Select(bar => $"{bar.Name}: {bar.Text}")))}.</desc>
              <rect width="{Width}" height="{height}" rx="6" fill="#fff"/>
              <text x="16" y="24" font-size="15" font-weight="600" fill="#1f2328">{Escaped(Title)}</text>
              <text x="16" y="43" fill="#59636e">{Escaped(Subtitle)}</text>
            """);
        var unit = LongestBar / Bars.Max(bar => bar.Blue + bar.Grey);
        for (var i = 0; i < Bars.Count; i++) AddBar(Bars[i], Top + i * Step);
        Add($"</svg>");
        return text.ToString();

        void AddBar(Bar bar, int y)
        {
            var (blueEnd, greyEnd) = (At(bar.Blue), At(bar.Blue + bar.Grey));
            Add($"""  <text x="{NamesEnd}" y="{y + 17}" text-anchor="end" fill="#1f2328">{Escaped(bar.Name)}</text>""");
            AddPart(BarsBegin, blueEnd, y, "#1f6feb");
            AddPart(blueEnd, greyEnd, y, "#b8bec6");
            Add($"""  <text x="{greyEnd + 8}" y="{y + 17}" fill="#1f2328">{Escaped(bar.Text)}</text>""");
        }

        void AddPart(int begin, int end, int y, string colour)
        {
            if (end > begin)
                Add($"""  <rect x="{begin}" y="{y}" width="{end - begin}" height="{Thickness}" fill="{colour}"/>""");
        }

        int At(double value) => BarsBegin + (int)Math.Round(value * unit);

        void Add(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Escaped(string text) => SecurityElement.Escape(text)!;
}
