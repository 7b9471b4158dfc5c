using System.Text;
using Tally.Grains.EventLog;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Funnels;

/// <summary>
/// Steps of a funnel as a question writes them: comma-separated actions, each perhaps with comma-separated filters in
/// brackets, as in <c>view[path=/pricing],signup</c>. A backslash makes the next character part of a name or a value.
/// </summary>
internal sealed class FunnelSteps(string text, Dimensions dimensions)
{
    private int at;

    /// <returns>Null if the text cannot be read.</returns>
    public static List<FunnelStep>? Parse(string text, Dimensions dimensions) =>
        new FunnelSteps(text, dimensions).ReadAll();

    private List<FunnelStep>? ReadAll()
    {
        var steps = new List<FunnelStep>();
        do
        {
            var start = at;
            if (ReadUntil(",[]") is not { } action) return null;
            var filters = new List<DimensionValue>();
            if (Takes('[') && !ReadFilters(filters)) return null;
            steps.Add(new(text[start..at], action, filters));
        } while (Takes(','));
        return at == text.Length ? steps : null;
    }

    private bool ReadFilters(List<DimensionValue> filters)
    {
        do
        {
            if (ReadUntil("=,]") is not { } name || !Takes('=') || ReadUntil(",]") is not { } value) return false;
            filters.Add(new(dimensions.PropertyOf(name), DimensionSet.Cut(value)));
        } while (Takes(','));
        return Takes(']');
    }

    // What comes before one of these characters; null if that is nothing.
    private string? ReadUntil(string ends)
    {
        var part = new StringBuilder();
        for (; at < text.Length && !ends.Contains(text[at]); at++)
        {
            if (text[at] == '\\' && ++at == text.Length) return null;
            part.Append(text[at]);
        }
        return part.Length > 0 ? part.ToString() : null;
    }

    private bool Takes(char expected)
    {
        if (at == text.Length || text[at] != expected) return false;
        at++;
        return true;
    }
}
