namespace Tally.Silo.Settings;

/// <summary>
/// All keys. Without write keys everyone may write, and without read keys everyone may read. Without any keys everyone
/// may erase and change rules; otherwise that needs an erase key or a rule key.
/// </summary>
public sealed class AccessKeys
{
    private readonly List<AccessKey> keys = [];

    /// <param name="writeKeys">As <see cref="ParseWriteKeys"/> reads them.</param>
    /// <param name="readKeys">As <see cref="ParseReadKeys"/> reads them. A key in two lists has both rights.</param>
    /// <param name="eraseKeys">As <see cref="ParseEraseKeys"/> reads them.</param>
    /// <param name="ruleKeys">As <see cref="ParseRuleKeys"/> reads them.</param>
    public AccessKeys(IReadOnlyList<AccessKey> writeKeys, IReadOnlyList<AccessKey> readKeys,
        IReadOnlyList<AccessKey>? eraseKeys = null, IReadOnlyList<AccessKey>? ruleKeys = null)
    {
        foreach (var key in writeKeys.Concat(readKeys).Concat(eraseKeys ?? []).Concat(ruleKeys ?? []))
            if (!keys.Exists(key.IsSameKeyAs))
                keys.Add(key with
                {
                    Reads = readKeys.Any(key.IsSameKeyAs),
                    Erases = eraseKeys?.Any(key.IsSameKeyAs) == true,
                    Rules = ruleKeys?.Any(key.IsSameKeyAs) == true,
                });
        (GuardWriting, GuardReading) = (writeKeys.Count > 0, readKeys.Count > 0);
    }

    public bool GuardWriting { get; }
    public bool GuardReading { get; }
    public bool GuardErasing => keys.Count > 0;
    public bool GuardRules => keys.Count > 0;

    /// <summary>Whether erasing needs a key that does not exist.</summary>
    public bool NobodyErases => GuardErasing && !keys.Exists(key => key.Erases);

    /// <summary>Keys separated by white space, such as one per line of a file.</summary>
    /// <exception cref="FormatException">Says what was expected.</exception>
    public static IReadOnlyList<AccessKey> ParseWriteKeys(string text) => Parse(text, AccessKey.ParseWriteKey);

    /// <inheritdoc cref="ParseWriteKeys"/>
    public static IReadOnlyList<AccessKey> ParseReadKeys(string text) => Parse(text, AccessKey.ParseReadKey);

    /// <inheritdoc cref="ParseWriteKeys"/>
    public static IReadOnlyList<AccessKey> ParseEraseKeys(string text) => Parse(text, AccessKey.ParseEraseKey);

    /// <inheritdoc cref="ParseWriteKeys"/>
    public static IReadOnlyList<AccessKey> ParseRuleKeys(string text) => Parse(text, AccessKey.ParseRuleKey);

    /// <summary>Takes the same time for every key, known or not.</summary>
    public AccessKey? Find(string key) => FindByHash(AccessKey.HashOf(key));

    /// <summary>The same, by <see cref="AccessKey.HashOf"/>.</summary>
    public AccessKey? FindByHash(byte[] hash)
    {
        AccessKey? found = null;
        foreach (var candidate in keys)
            if (candidate.IsOf(hash)) found = candidate;
        return found;
    }

    private static List<AccessKey> Parse(string text, Func<string, AccessKey> parse)
    {
        var keys = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(parse).ToList();
        if (keys.Count == 0) throw new FormatException("expected at least one key");
        if (keys.Index().Any(one => keys.Take(one.Index).Any(one.Item.IsSameKeyAs)))
            throw new FormatException("a key is given twice");
        return keys;
    }
}
