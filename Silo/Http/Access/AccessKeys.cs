using Tally.Silo.CommandLine;

namespace Tally.Silo.Http.Access;

/// <summary>
/// All keys. Without write keys everyone may write; without read keys everyone may read. Without any keys everyone may
/// erase; with any, only an erase key does.
/// </summary>
public sealed class AccessKeys
{
    private readonly List<AccessKey> keys = [];

    /// <remarks>A key in several lists may do all of it.</remarks>
    public AccessKeys(IReadOnlyList<AccessKey> writeKeys, IReadOnlyList<AccessKey> readKeys, IReadOnlyList<AccessKey>? eraseKeys = null)
    {
        foreach (var key in writeKeys.Concat(readKeys).Concat(eraseKeys ?? []))
            if (!keys.Exists(key.IsSameKeyAs))
                keys.Add(key with { Reads = readKeys.Any(key.IsSameKeyAs), Erases = eraseKeys?.Any(key.IsSameKeyAs) == true });
        (GuardWriting, GuardReading) = (writeKeys.Count > 0, readKeys.Count > 0);
    }

    public bool GuardWriting { get; }
    public bool GuardReading { get; }
    public bool GuardErasing => keys.Count > 0;

    /// <summary>Parses keys separated by white space, as in a file with one key a line.</summary>
    /// <exception cref="FormatException">Says what was expected.</exception>
    public static IReadOnlyList<AccessKey> ParseWriteKeys(string text) => Parse(text, AccessKey.ParseWriteKey);

    /// <inheritdoc cref="ParseWriteKeys"/>
    public static IReadOnlyList<AccessKey> ParseReadKeys(string text) => Parse(text, AccessKey.ParseReadKey);

    /// <inheritdoc cref="ParseWriteKeys"/>
    public static IReadOnlyList<AccessKey> ParseEraseKeys(string text) => Parse(text, AccessKey.ParseEraseKey);

    /// <summary>Finds a key. Takes the same time for every key, known or not.</summary>
    public AccessKey? Find(string key)
    {
        var hash = AccessKey.HashOf(key);
        AccessKey? found = null;
        foreach (var candidate in keys)
            if (candidate.IsOf(hash)) found = candidate;
        return found;
    }

    private static List<AccessKey> Parse(string text, Func<string, AccessKey> parse)
    {
        if (text == AppCommand.None) return [];
        var keys = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(parse).ToList();
        if (keys.Count == 0) throw new FormatException("expected at least one key");
        if (keys.Index().Any(one => keys.Take(one.Index).Any(one.Item.IsSameKeyAs))) throw new FormatException("a key is given twice");
        return keys;
    }
}
