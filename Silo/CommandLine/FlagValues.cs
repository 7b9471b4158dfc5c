using System.Globalization;
using System.Net;
using System.Text;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Settings;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.CommandLine;

/// <summary>
/// Reads the values of flags. A <see cref="FormatException"/> says what was expected, and never quotes the value.
/// </summary>
internal static class FlagValues
{
    /// <summary>The default of a flag that is not set.</summary>
    public const string None = "none";

    /// <summary>The properties that the script tag sends.</summary>
    public const string Default = "default";

    /// <summary>Stands for each name that there is.</summary>
    public const string AllNames = "all";

    private static readonly string[] DefaultDimensions =
        ["path", "referrer", "utm_source", "utm_medium", "utm_campaign", "title", "language", "screen", "link"];

    // Each costs a row for each value of each fingerprint and day.
    private const int DimensionsMax = 32;
    private const int DimensionBytesMax = 64;

    // Less would forget the ids of events that clients are still sending again.
    private static readonly TimeSpan AgeMin = TimeSpan.FromDays(1);
    private const int AgeDaysMax = 36_500;

    public static int ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw new FormatException("expected a port from 1 to 65535");

    public static int ParsePortOrZero(string text) => text == "0" ? 0 : ParsePort(text);

    public static IPAddress ParseHost(string text) =>
        text == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(text.Trim('[', ']'), out var address) ? address
        : throw new FormatException("expected an IP address, such as 0.0.0.0, 127.0.0.1 or ::, or localhost");

    // What Orleans' tables and logs take without surprises.
    public static string ParseName(string text) =>
        text.Length is > 0 and <= 100 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? text
            : throw new FormatException("expected 1 to 100 letters, digits, dashes, dots or underscores");

    public static string? ParseFile(string text) =>
        text == None ? null
            : text.Length > 0 && !text.Contains('\0') ? text : throw new FormatException("expected a file, or none");

    public static IPAddress? ParseAdvertise(string text) =>
        text == "auto" ? null
        : IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any)
            && !address.Equals(IPAddress.IPv6Any) ? address
        : throw new FormatException("expected an IP address that other hosts can reach, or auto");

    public static IReadOnlyList<IPNetwork> ParseNetworks(string text) =>
        text == None ? [] : [.. text.Split(',').Select(ParseNetwork)];

    private static IPNetwork ParseNetwork(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new(address, address.GetAddressBytes().Length * 8)
        : throw new FormatException(
            "expected IP addresses or networks such as 10.0.0.0/8, separated by commas and without spaces");

    public static LogFormat ParseLogFormat(string text) => text switch
    {
        "text" => LogFormat.Text,
        "json" => LogFormat.Json,
        _ => throw new FormatException("expected text or json"),
    };

    public static bool ParseIgnoresBots(string text) => text switch
    {
        "count" => false,
        "ignore" => true,
        _ => throw new FormatException("expected count or ignore"),
    };

    public static IReadOnlyList<string> ParseOrigins(string text) =>
        text == None ? [] : text == "*" ? [text] : [.. text.Split(',').Select(AccessKey.ParseOrigin)];

    public static FingerprintSource ParseFingerprints(string text) => text switch
    {
        "client" => FingerprintSource.Client,
        "server" => FingerprintSource.Server,
        _ => throw new FormatException("expected client or server"),
    };

    public static Calendar ParseTimeZone(string text) => Calendar.Find(text)
        ?? throw new FormatException("expected a time zone of the IANA database, such as Europe/Berlin, or UTC");

    public static IReadOnlyList<string> ParseDimensions(string text)
    {
        if (text == None) return [];
        string[] names =
            [.. text.Split(',').SelectMany(name => name == Default ? DefaultDimensions : [name]).Distinct()];
        return names.Length <= DimensionsMax && Array.TrueForAll(names, IsDimension) ? names
            : throw new FormatException(
                $"expected at most {DimensionsMax} names of properties, separated by commas, each of 1 to "
                + $"{DimensionBytesMax} bytes without control characters and colons, or {None}");
    }

    // A colon separates name and value in a question.
    private static bool IsDimension(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= DimensionBytesMax && !name.Contains(':')
        && !name.Any(char.IsControl)
        && name is not ("product" or "action" or "products" or "actions" or "fingerprints"); // what else groupBy takes

    public static IReadOnlyList<string> ParseDerived(string text)
    {
        if (text == None) return [];
        string[] names = [.. text.Split(',').Distinct()];
        return names.All(name => name is "browser" or "os" or "device" or "channel") ? names
            : throw new FormatException($"expected browser, os, device and channel, separated by commas, or {None}");
    }

    public static IReadOnlyList<string> ParseTrackers(string text)
    {
        if (text is None or AllNames) return text == None ? [] : TrackerEndpoints.Names;
        string[] names = [.. text.Split(',').Distinct()];
        return names.All(TrackerEndpoints.Names.Contains) ? names
            : throw new FormatException(
                $"expected {AllNames}, {None}, or some of {string.Join(", ", TrackerEndpoints.Names)}, separated by "
                + "commas");
    }

    public static Countries? ParseCountries(string text) => text == None ? null : Countries.Load(ParseFile(text)!);

    public static TimeSpan? ParseAge(string text)
    {
        if (text == None) return null;
        var age = !int.TryParse(text.AsSpan(0, Math.Max(0, text.Length - 1)), NumberStyles.None,
            CultureInfo.InvariantCulture, out var number)
                || number > AgeDaysMax * 24 ? TimeSpan.Zero
            : text[^1] == 'd' ? TimeSpan.FromDays(number)
            : text[^1] == 'h' ? TimeSpan.FromHours(number) : TimeSpan.Zero;
        return age >= AgeMin && age <= TimeSpan.FromDays(AgeDaysMax) ? age
            : throw new FormatException(
                $"expected days or hours, such as 90d or 36h, from 1d to {AgeDaysMax}d, or {None}");
    }

    public static Uri? ParseServiceUrl(string text) =>
        text == "auto" ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", UserInfo: "" } ? url
        : throw new FormatException("expected an http:// or https:// URL without user and password, or auto");

    public static string? ParseServiceKey(string text) =>
        text == None ? null
        : text.Length > 0 && text.All(c => c is > ' ' and <= '~') ? text
        : throw new FormatException("expected a key: letters, digits and other visible ASCII characters");
}
