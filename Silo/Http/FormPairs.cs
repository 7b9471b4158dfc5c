using System.Text;

namespace Tally.Silo.Http;

/// <summary>Pairs as in a form or a query, of names that are not known beforehand.</summary>
internal static class FormPairs
{
    /// <returns>Null, or what is wrong: it is malformed, or a name is there twice.</returns>
    public static Refusal? Parse(ReadOnlySpan<byte> text, out Dictionary<string, string> pairs)
    {
        pairs = [];
        var reader = new FormReader(text);
        while (reader.TryRead())
            if (!pairs.TryAdd(reader.Name, reader.Value)) return Refusal.DuplicateField(reader.Name);
        return reader.IsMalformed ? Refusal.MalformedQuery() : null;
    }

    /// <inheritdoc cref="Parse(ReadOnlySpan{byte}, out Dictionary{string, string})"/>
    public static Refusal? Parse(QueryString query, out Dictionary<string, string> pairs) =>
        Parse(Encoding.UTF8.GetBytes(query.ToUriComponent().TrimStart('?')), out pairs);
}
