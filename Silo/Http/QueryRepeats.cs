namespace Tally.Silo.Http;

internal static class QueryRepeats
{
    /// <summary>Refuses a query in which a parameter is given twice: the framework would join both by a comma, into another value.</summary>
    public static Refusal? RefusesRepeats(this HttpRequest request, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (request.Query[name].Count > 1) return Refusal.DuplicateField(name);
        return null;
    }
}
