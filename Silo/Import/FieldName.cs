namespace Tally.Silo.Import;

/// <summary>The field of an event that a column, or a field of a JSON object, is by its name.</summary>
/// <param name="Field">As <c>POST /api/events</c> calls it.</param>
/// <param name="Written">As the source calls it.</param>
/// <param name="Rank">Of several for one field the lowest is taken; two of the same rank are ambiguous.</param>
internal readonly record struct FieldName(string Field, string Written, int Rank)
{
    /// <summary>What an event is made of.</summary>
    public static readonly string[] Fields = ["action", "product", "fingerprint", "id", "timestamp", "properties"];

    private const int CharactersMax = 64; // longer than any of them, however it is written
    private const int Synonym = int.MaxValue;

    // Without white space, dashes, underscores, @ and $, and in lower case. Left out is what could mean another thing:
    // uuid and event_id, which in some tables are a visitor's and a kind's, so that events would be taken for repeats.
    private static readonly Dictionary<string, string> Synonyms = new()
    {
        ["event"] = "action", ["eventname"] = "action",
        ["visitorid"] = "fingerprint", ["anonymousid"] = "fingerprint", ["distinctid"] = "fingerprint",
        ["userid"] = "fingerprint", ["clientid"] = "fingerprint", ["deviceid"] = "fingerprint",
        ["messageid"] = "id", ["insertid"] = "id",
        ["created"] = "timestamp", ["createdat"] = "timestamp", ["occurredat"] = "timestamp", ["time"] = "timestamp", ["date"] = "timestamp",
        ["datetime"] = "timestamp", ["ts"] = "timestamp", ["eventtime"] = "timestamp", ["eventtimestamp"] = "timestamp", ["eventdate"] = "timestamp",
        ["props"] = "properties", ["eventproperties"] = "properties",
    };

    // Of these the first one that is there: an export of Tally's has occurred and created.
    private static readonly string[] Times = ["timestamp", "occurred"];

    /// <param name="written">As the source calls it.</param>
    /// <param name="time">What the source calls the time, where that was said.</param>
    /// <returns>Null for what is no part of an event.</returns>
    public static FieldName? Of(string written, string? time)
    {
        var plain = Plain(written);
        var (field, rank) = Times.Contains(plain) ? ("timestamp", 2 * Array.IndexOf(Times, plain))
            : Fields.Contains(plain) ? (plain, 0)
            : (Synonyms.GetValueOrDefault(plain), Synonym);
        if (rank != Synonym && written != plain) rank++; // upper and lower case, or dashes
        if (time is not null && written == time) (field, rank) = ("timestamp", 0);
        else if (time is not null && field == "timestamp") return null;
        return field is null ? null : new(field, written, rank);
    }

    /// <summary>Chooses one for a field.</summary>
    /// <param name="names">In the source's order; null is no part of an event.</param>
    /// <param name="field">One of <see cref="Fields"/>.</param>
    /// <param name="index">Its place; -1 where there is none.</param>
    /// <returns>What is wrong, where several may be meant.</returns>
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
        var (one, two) = (names[index]!.Value.Written, names[other]!.Value.Written);
        return one == two ? $"{one} is there twice"
            : $"{one} and {two} may both be the {field}: give one of them another name{(field == "timestamp" ? ", or say -time=NAME" : "")}";
    }

    private static string Plain(string written) =>
        written.Length > CharactersMax ? ""
        : string.Concat(written.Where(c => !char.IsWhiteSpace(c) && c is not ('_' or '-' or '@' or '$'))).ToLowerInvariant();
}
