using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Derived;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Storage;

namespace Tally.Silo.Import.Tools;

/// <summary>
/// A web server's access log in the combined format, also with the virtual host before it. Pages that a browser got
/// become views; what else the log has is left out. A visitor's fingerprint is made of address, user agent and day with
/// a salt, as the server makes one for an event without a fingerprint. Neither of them is kept.
/// </summary>
internal sealed class AccessLog : ToolFormat
{
    // What a page loads, and what readers of feeds and robots ask for.
    private static readonly HashSet<string> Files = new(StringComparer.OrdinalIgnoreCase)
    {
        "css", "js", "mjs", "map", "json", "xml", "txt", "wasm", "webmanifest", "rss", "atom", "ico", "png", "jpg",
        "jpeg", "gif", "webp", "avif", "svg", "bmp", "tif", "tiff", "woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4",
        "m4a", "m4v", "ogg", "ogv", "oga", "opus", "wav", "flac", "webm", "mov", "avi", "mkv", "m3u8", "ts", "vtt",
        "pdf", "zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tar", "dmg", "exe", "msi", "apk", "deb", "rpm",
        "iso", "bin", "csv",
    };

    // Non-backtracking: linear in any line.
    private static readonly Regex Combined = new(
        @"^(?:(?<host>[^\s:]+):[0-9]{1,5} )?(?<address>\S+) \S+ \S+ \[(?<time>[^\]]{1,40})\] "
        + @"""(?<request>(?:[^""\\]|\\.)*)"" (?<status>[0-9]{3}) (?:[0-9]+|-) "
        + @"""(?<referrer>(?:[^""\\]|\\.)*)"" ""(?<agent>(?:[^""\\]|\\.)*)""(?: .*)?$",
        RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant);

    private readonly ToolSettings settings;
    private readonly byte[] salt;
    private readonly RowIds ids = new();
    private bool hasHosts;

    /// <exception cref="StartupException">There is no salt.</exception>
    public AccessLog(ToolSettings settings)
    {
        this.settings = settings;
        salt = Encoding.UTF8.GetBytes(settings.Salt ?? throw new StartupException(
            "an access log needs -salt=SECRET: addresses are hashed with it, and not kept. Use the same salt "
            + "each time"));
    }

    public static bool IsLine(string line) => Combined.IsMatch(line);

    public override IEnumerable<Item> Parse(Record record) => [ParseLine(record)];

    private Item ParseLine(Record record)
    {
        if (CsvTable.Decode(record.Text!.Value.Span) is not { } line)
            return Item.Malformed(record.Line, "This is not UTF-8.");
        var parts = Combined.Match(line);
        if (!parts.Success)
            return Item.Malformed(record.Line, "This is not a line of an access log in the combined format.");
        if (!DateTimeOffset.TryParseExact(parts.Groups["time"].ValueSpan, "dd/MMM/yyyy:HH:mm:ss zzz",
            CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            return Item.Malformed(record.Line, "The time is not like 02/Jan/2026:15:04:05 +0000.");
        var host = parts.Groups["host"] is { Success: true } named ? named.Value : null;
        hasHosts |= host is not null;
        var agent = Text("agent");
        var request = parts.Groups["request"].Value;
        var space = request.IndexOf(' ');
        if (space < 0) return Item.LeftOut(record.Line, "without a request");
        if (PageUrl.Parse(TargetIn(request[(space + 1)..])) is not { } page)
            return Item.Malformed(record.Line, "The request has no target.");
        if (KindLeftOut(request[..space], page.Path, parts.Groups["status"].ValueSpan, agent) is { } kind)
            return Item.LeftOut(record.Line, kind);
        var product = settings.Product ?? host;
        if (product is null && hasHosts)
            return Item.Malformed(record.Line, "The line has no virtual host: say -product=NAME.");
        product ??= settings.RequiredProduct("an access log without virtual hosts");
        var properties = new TrackerProperties();
        properties.AddPage(page, OtherSite.Referrer(Text("referrer"), page.Host, host, product));
        properties.Add(EventProperties.Browser, UserAgent.BrowserOf(agent));
        properties.Add(EventProperties.System, UserAgent.SystemOf(agent));
        properties.Add(EventProperties.Device, UserAgent.DeviceOf(agent));
        return Item.From(record.Line, new()
        {
            Action = EventFields.PageView,
            Product = product,
            Fingerprint = FingerprintOf(time, parts.Groups["address"].Value, agent, host ?? product),
            Id = ids.Create(record.Text.Value.Span),
            Timestamp = time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            Properties = properties.ToJson(),
        });

        string Text(string name) => parts.Groups[name].Value is "-" ? "" : Unescape(parts.Groups[name].Value);
    }

    // A target that its client did not encode may have spaces.
    private static string TargetIn(string requestAfterMethod) =>
        Unescape(requestAfterMethod.LastIndexOf(" HTTP/", StringComparison.Ordinal) is var end and >= 0
            ? requestAfterMethod[..end] : requestAfterMethod);

    private static string? KindLeftOut(string method, string path, ReadOnlySpan<char> status, string agent)
    {
        if (KnownBots.IsBot(agent)) return "of bots";
        // All browsers call themselves so, and few programs do.
        if (!agent.StartsWith("Mozilla/", StringComparison.Ordinal)
            && !agent.StartsWith("Opera/", StringComparison.Ordinal)) return "of programs";
        if (method != "GET") return "with another method than GET";
        // What a browser has already is a view, too.
        if (status is not ("200" or "304")) return "without a page (redirects and errors)";
        var name = path[(path.LastIndexOf('/') + 1)..];
        return name.LastIndexOf('.') is var dot and >= 0 && Files.Contains(name[(dot + 1)..])
            || path.StartsWith("/.well-known/", StringComparison.Ordinal) ? "of files" : null;
    }

    // The salt of the day is derived, so that nobody who has the fingerprints can link two days.
    private string FingerprintOf(DateTimeOffset time, string address, string agent, string site)
    {
        var day = time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var saltOfDay = HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes(day));
        return System.Buffers.Text.Base64Url.EncodeToString(
            HMACSHA256.HashData(saltOfDay, Encoding.UTF8.GetBytes($"{address}\n{agent}\n{site}")));
    }

    // Servers write quotes, backslashes and what is no visible ASCII as \", \\ and \x22.
    private static string Unescape(string text)
    {
        if (!text.Contains('\\')) return text;
        var bytes = Encoding.UTF8.GetBytes(text);
        var length = 0;
        for (var i = 0; i < bytes.Length; i++)
            if (bytes[i] != '\\' || i + 1 == bytes.Length) bytes[length++] = bytes[i];
            else if (bytes[i + 1] == 'x' && i + 3 < bytes.Length
                && byte.TryParse(bytes.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                    out var escaped))
            {
                bytes[length++] = escaped;
                i += 3;
            }
            else bytes[length++] = bytes[++i];
        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
