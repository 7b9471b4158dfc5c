using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Tally.Grains;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http;

/// <summary>
/// The query parameters that an endpoint knows, as its metadata. Any other is refused: a question whose time zone or range was
/// skipped would be answered as if it had been understood. Endpoints without this skip what they do not know.
/// </summary>
internal sealed class QueryParameters(string[] names)
{
    private const int ComparedLettersMax = 64;

    /// <summary>
    /// Before the endpoint. Reads the query from its own bytes, since the framework's reader takes a name in any case, joins a
    /// parameter that is given twice by a comma, and replaces what is no UTF-8. What it reads is the request's query from here on.
    /// </summary>
    public static Task Read(HttpContext context, RequestDelegate next)
    {
        if (context.Request.QueryString.Value is not ['?', .. { Length: > 0 } query]
            || context.GetEndpoint()?.Metadata.GetMetadata<QueryParameters>() is not { } known) return next(context);
        if (known.Read(query, context.Key() is not null, out var values) is { } refusal)
        {
            if (context.TakesEvents()) TallyMetrics.EventRefused(refusal.Reason);
            return refusal.ExecuteAsync(context);
        }
        context.Features.Set<IQueryFeature>(new QueryFeature(new QueryCollection(values)));
        return next(context);
    }

    private Refusal? Read(string query, bool hasKey, out Dictionary<string, StringValues> values)
    {
        values = [];
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!TryDecode(pair, out var name, out var value)) return Refusal.MalformedQuery();
            if (!names.Contains(name) && !(hasKey && name == KeyAuthentication.QueryName)) return Refusal.UnknownParameter(name, names.MinBy(known => Distance(known, name)), names);
            if (!values.TryAdd(name, value)) return Refusal.DuplicateField(name);
        }
        return null;
    }

    /// <summary>One parameter as it stands in a query. False where its percent-encoding is broken or is not UTF-8.</summary>
    public static bool TryDecode(string pair, out string name, out string value)
    {
        var equals = pair.IndexOf('=');
        var (rawName, rawValue) = equals < 0 ? (pair, "") : (pair[..equals], pair[(equals + 1)..]);
        value = "";
        return FormFields.TryDecode(Encoding.UTF8.GetBytes(rawName), out name) && FormFields.TryDecode(Encoding.UTF8.GetBytes(rawValue), out value);
    }

    // Levenshtein's, of letters in any case: how many are to be added, left out or changed. A long name is near to nothing.
    private static int Distance(string known, string given)
    {
        var before = Enumerable.Range(0, known.Length + 1).ToArray();
        foreach (var letter in given.AsSpan(0, Math.Min(given.Length, ComparedLettersMax)))
        {
            var here = new int[before.Length];
            here[0] = before[0] + 1;
            for (var i = 1; i < here.Length; i++)
                here[i] = Math.Min(Math.Min(before[i], here[i - 1]) + 1,
                    before[i - 1] + (char.ToLowerInvariant(known[i - 1]) == char.ToLowerInvariant(letter) ? 0 : 1));
            before = here;
        }
        return before[^1];
    }
}

internal static class QueryParametersOfRoutes
{
    /// <summary>For an endpoint that refuses all query parameters but these.</summary>
    public static RouteHandlerBuilder TakesParameters(this RouteHandlerBuilder route, params string[] names) =>
        route.WithMetadata(new QueryParameters(names));
}
