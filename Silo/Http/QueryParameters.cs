using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Primitives;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http;

/// <summary>
/// The query parameters of an endpoint, as its metadata. Any other is refused: if a mistyped time zone or range were
/// skipped, the answer would look right and be wrong. Endpoints without this metadata skip unknown parameters.
/// </summary>
internal sealed class QueryParameters(string[] names)
{
    private const int ComparedLettersMax = 64;

    /// <summary>
    /// Middleware that decodes the query of such an endpoint and replaces the framework's, which ignores case, joins
    /// repeated parameters with a comma, and replaces invalid UTF-8.
    /// </summary>
    public static Task Decode(HttpContext context, RequestDelegate next)
    {
        if (context.Request.QueryString.Value is not ['?', .. { Length: > 0 } query]
            || context.GetEndpoint()?.Metadata.GetMetadata<QueryParameters>() is not { } known) return next(context);
        if (known.Parse(query, context.Key() is not null, out var values) is { } refusal)
            return refusal.ExecuteAsync(context);
        context.Features.Set<IQueryFeature>(new QueryFeature(new QueryCollection(values)));
        return next(context);
    }

    private Refusal? Parse(string query, bool hasKey, out Dictionary<string, StringValues> values)
    {
        values = [];
        var pairs = new FormReader(Encoding.UTF8.GetBytes(query));
        while (pairs.TryRead())
        {
            var name = pairs.Name;
            if (!names.Contains(name) && !(hasKey && name == KeyAuthentication.QueryName))
                return Refusal.UnknownParameter(name, names.MinBy(known => Distance(known, name)), names);
            if (!values.TryAdd(name, pairs.Value)) return Refusal.DuplicateField(name);
        }
        return pairs.IsMalformed ? Refusal.MalformedQuery() : null;
    }

    // Levenshtein's, ignoring case: how many letters are added, left out or changed.
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

internal static class QueryParametersExtensions
{
    /// <summary>For endpoints that take only the query parameters that their handlers name, and these.</summary>
    public static TBuilder RefuseUnknownParameters<TBuilder>(this TBuilder endpoints, params string[] others)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Finally(endpoint =>
        {
            var handler = endpoint.Metadata.OfType<MethodInfo>().Single();
            var own = handler.GetParameters().Where(IsInQuery).Select(parameter => parameter.Name!);
            endpoint.Metadata.Add(new QueryParameters([.. own, .. others]));
        });
        return endpoints;
    }

    private static bool IsInQuery(ParameterInfo parameter) =>
        parameter.ParameterType == typeof(string)
        && !parameter.GetCustomAttributes(false).OfType<IFromHeaderMetadata>().Any();
}
