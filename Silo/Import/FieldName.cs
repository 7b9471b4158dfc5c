namespace Tally.Silo.Import;

/// <summary>The name of a column or a JSON member, and the event's field that it means.</summary>
/// <param name="Field">The field's name in <c>POST /api/events</c>.</param>
/// <param name="Written">The name in the source.</param>
/// <param name="Rank">The lowest rank is taken; two names of the same rank are ambiguous.</param>
internal readonly record struct FieldName(string Field, string Written, int Rank)
{
    /// <summary>An event's fields.</summary>
    public static readonly string[] Fields = ["action", "product", "fingerprint", "id", "timestamp", "properties"];

    private const int CharactersMax = 64; // longer than any known name
    private const int Synonym = int.MaxValue;

    // In lower case, without white space, dashes, underscores, @ and $. uuid and event_id are left out: in some tables
    // they are a visitor's id or a kind of event, so events would be taken for repeats.
    private static readonly Dictionary<string, string> Synonyms = new()
    {
        ["event"] = "action", ["eventname"] = "action",
        ["visitorid"] = "fingerprint", ["anonymousid"] = "fingerprint", ["distinctid"] = "fingerprint",
        ["userid"] = "fingerprint", ["clientid"] = "fingerprint", ["deviceid"] = "fingerprint",
        ["messageid"] = "id", ["insertid"] = "id",
        ["created"] = "timestamp", ["createdat"] = "timestamp", ["occurredat"] = "timestamp", ["time"] = "timestamp",
        ["date"] = "timestamp",
        ["datetime"] = "timestamp", ["ts"] = "timestamp", ["eventtime"] = "timestamp", ["eventtimestamp"] = "timestamp",
        ["eventdate"] = "timestamp",
        ["props"] = "properties", ["eventproperties"] = "properties",
    };

    // By precedence: an export of Tally's has both occurred and created.
    private static readonly string[] Times = ["timestamp", "occurred"];

    /// <param name="written">The name in the source.</param>
    /// <param name="time">The source's name for the time, if it was given.</param>
    /// <returns>Null if the name means no field.</returns>
    public static FieldName? Match(string written, string? time)
    {
        var plain = Simplify(written);
        var (field, rank) = Times.Contains(plain) ? ("timestamp", 2 * Array.IndexOf(Times, plain))
            : Fields.Contains(plain) ? (plain, 0)
            : (Synonyms.GetValueOrDefault(plain), Synonym);
        if (rank != Synonym && written != plain) rank++; // other case, or with dashes
        if (time is not null && written == time) (field, rank) = ("timestamp", 0);
        else if (time is not null && field == "timestamp") return null;
        return field is null ? null : new(field, written, rank);
    }

    /// <summary>Chooses the name for a field.</summary>
    /// <param name="names">All names, in the source's order; null means no field.</param>
    /// <param name="field">One of <see cref="Fields"/>.</param>
    /// <param name="index">The chosen name's place; -1 if there is none.</param>
    /// <returns>What is wrong if several may be meant; else null.</returns>
    public static string? Choose(IReadOnlyList<FieldName?> names, string field, out int index)
    {
        index = -1;
        int? same = null;
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] is not { } name || name.Field != field) continue;
            if (index < 0 || name.Rank < names[index]!.Value.Rank) (index, same) = (i, null);
            else if (name.Rank == names[index]!.Value.Rank) same ??= i;
        }
        if (same is not { } other) return null;
        var (one, two) =
            (SourceName.Shown(names[index]!.Value.Written), SourceName.Shown(names[other]!.Value.Written));
        return one == two ? $"{one} is there twice"
            : $"{one} and {two} may both be the {field}: give one of them another name"
                + (field == "timestamp" ? ", or say -time=NAME" : "");
    }

    private static string Simplify(string written) =>
        written.Length > CharactersMax ? ""
        : string.Concat(written.Where(c => !char.IsWhiteSpace(c) && c is not ('_' or '-' or '@' or '$')))
            .ToLowerInvariant();
}
