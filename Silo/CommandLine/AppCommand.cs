using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Net;
using Tally.Silo.Hosting;
using Tally.Silo.Http;
using Tally.Silo.Http.Access;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>What the flags and their variables say.</summary>
public sealed record AppSettings(int Port, IPAddress Host, DatabaseUrl DbUrl, ClusterSettings Cluster, AccessKeys Keys)
{
    /// <summary>Whose X-Forwarded-For counts.</summary>
    public IReadOnlyList<System.Net.IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Whether known bots' events are answered and not recorded.</summary>
    public bool IgnoresBots { get; init; }

    public RetentionSettings Retention { get; init; } = new(null, null);

    public VisitorSettings Visitors { get; init; } = new([], FingerprintSource.Client);

    /// <summary>Where this machine reaches the app that serves with these settings.</summary>
    public Uri LocalUrl => new UriBuilder("http", (
        Host.Equals(IPAddress.Any) ? IPAddress.Loopback
        : Host.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
        : Host).ToString(), Port).Uri;
}

/// <summary>How this silo and others on the same database meet.</summary>
/// <param name="ClusterId">Silos of one name form one cluster.</param>
/// <param name="ServiceId">Part of every snapshot's key.</param>
/// <param name="SiloPort">TCP, for the other silos; 0 picks a free one.</param>
/// <param name="GatewayPort">TCP, for Orleans clients; 0 is none.</param>
/// <param name="Advertise">The address under which other hosts reach this one; null to find it out.</param>
/// <param name="SiloName">For people: in logs and in the membership table.</param>
public sealed record ClusterSettings(
    string ClusterId, string ServiceId, int SiloPort, int GatewayPort, IPAddress? Advertise, string SiloName)
{
    /// <summary>For TLS between silos; null is plain TCP.</summary>
    public SiloCertificates? Certificates { get; init; }
}

/// <summary>The command line of <c>app</c>: flags, sub-commands, help, and exit code 2 for a mistake.</summary>
internal static class AppCommand
{
    /// <summary>How the default of a flag is written that has no value by itself.</summary>
    public const string None = "none";

    private const int FailureExitCode = 1;
    private const int UsageExitCode = 2;

    private static readonly Flag<int> Port = new("port", "number", "TCP port of the HTTP front end", "9000", ParsePort, "APP_PORT");
    private static readonly Flag<IPAddress> Host =
        new("host", "address", "Address to listen on: an IP address or localhost", "0.0.0.0", ParseHost, "APP_HOST");
    private static readonly Flag<DatabaseUrl> DbUrl = new("dbUrl", "url", """
        Database, one of
          sqlite:PATH
          postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...
          an Npgsql connection string
        """, "sqlite:data/tally.db", DatabaseUrl.Parse, "APP_DB_URL", "APP_DBURL", "DB_URL");

    // With Postgres only: SQLite has one silo.
    private static readonly Flag<string> ClusterId =
        new("clusterId", "name", "Silos of one cluster id on one Postgres are one service", "tally", ParseName, "APP_CLUSTER_ID");
    private static readonly Flag<string> ServiceId =
        new("serviceId", "name", "Part of every snapshot's key: choose before the first start", "tally", ParseName, "APP_SERVICE_ID");
    private static readonly Flag<int> SiloPort =
        new("siloPort", "number", "TCP port for other silos; 0 picks a free one", "0", ParsePortOrZero, "APP_SILO_PORT");
    private static readonly Flag<int> GatewayPort =
        new("gatewayPort", "number", "TCP port for Orleans clients; 0 is none", "0", ParsePortOrZero, "APP_GATEWAY_PORT");
    private static readonly Flag<IPAddress?> Advertise = new("advertise", "address",
        "IP address under which other silos reach this one; auto is the one used towards\nthe database, or the loopback where -host is that", "auto", ParseAdvertise, "APP_ADVERTISE");
    private static readonly Flag<string> SiloName =
        new("siloName", "name", "This silo's name in logs and in the membership table", Environment.MachineName, ParseName, "APP_SILO_NAME");

    private static readonly Flag<string?> SiloTlsCertificate = new("siloTlsCertificate", "file",
        "TLS between silos: PEM file with this silo's certificate. With the next two, or not at all", None, ParseFile, "APP_SILO_TLS_CERTIFICATE");
    private static readonly Flag<string?> SiloTlsKey =
        new("siloTlsKey", "file", "PEM file with the certificate's key, not encrypted", None, ParseFile, "APP_SILO_TLS_KEY");
    private static readonly Flag<string?> SiloTlsCa =
        new("siloTlsCa", "file", "PEM file with the authority from which every silo's certificate is", None, ParseFile, "APP_SILO_TLS_CA");

    private static readonly Flag<IReadOnlyList<AccessKey>> WriteKeys = new("writeKeys", "keys", """
        Who may send events: keys of 16 to 128 characters, separated by white space,
        best in a file. KEY;products=NAME,NAME;origins=https://SITE binds one
        """, None, AccessKeys.ParseWriteKeys, "APP_WRITE_KEYS");
    private static readonly Flag<IReadOnlyList<AccessKey>> ReadKeys =
        new("readKeys", "keys", "Who may ask, and scrape /metrics: keys likewise, not bound", None, AccessKeys.ParseReadKeys, "APP_READ_KEYS");

    private static readonly Flag<IReadOnlyList<AccessKey>> EraseKeys = new("eraseKeys", "keys",
        "Who may erase a fingerprint: keys likewise. Where other keys are set and\nnone of these, nobody may", None, AccessKeys.ParseEraseKeys,
        "APP_ERASE_KEYS");

    private static readonly Flag<IReadOnlyList<IPNetwork>> TrustedProxies = new("trustedProxies", "ips",
        "Proxies whose X-Forwarded-For names the client: IP addresses or networks\n(10.0.0.0/8) separated by commas", None, ParseNetworks,
        "APP_TRUSTED_PROXIES");
    private static readonly Flag<bool> Bots = new("bots", "what",
        "Events of known bots, by user agent: count them, or ignore them, which is\nanswered 200 all the same", "count", ParseBots, "APP_BOTS");
    private static readonly Flag<string[]> Origins = new("corsOrigins", "list",
        "Origins of pages that may read what posting an event answers, separated by commas; * is any", None, CorsOrigins.Parse, "APP_CORS_ORIGINS");
    private static readonly Flag<FingerprintSource> Fingerprints = new("fingerprints", "source", """
        Who gives a fingerprint to an event without one
          client: nobody, it is refused
          server: a hash of address, user agent and site that changes each day
        """, "client", VisitorSettings.ParseFingerprints, "APP_FINGERPRINTS");

    private static readonly Flag<TimeSpan?> Retention = new("retention", "age",
        "Remove events accepted so long ago, such as 90d or 36h; counters and totals stay", None, RetentionSettings.ParseAge, "APP_RETENTION");
    private static readonly Flag<TimeSpan?> ForgetAfter = new("forgetAfter", "age",
        "Erase fingerprints whose last event happened so long ago, such as 365d", None, RetentionSettings.ParseAge, "APP_FORGET_AFTER");

    /// <summary>Runs the command that the arguments name.</summary>
    /// <returns>The process's exit code.</returns>
    public static Task<int> Run(string[] args) => Checked(() => RunCommand(args));

    private static async Task<int> RunCommand(string[] args)
    {
        var root = new RootCommand("""
            Tally, an event collector. POST /api/events answers 200 when the event is durably recorded and counted once.

            Flags are written -flag=value or -flag value. Each has an environment variable, shown with its default below;
            the variable's name with _FILE added names a file that holds the value, and beats it. A flag beats the environment,
            which beats the default. Limits are set by the environment alone: Limits__NAME, such as Limits__QueueEventsMax.
            """);
        root.Options.Clear();
        root.Options.Add(new HelpOption("-help", "--help", "-h") { Description = "Show this" });
        root.Options.Add(Port.Option);
        root.Options.Add(Host.Option);
        root.Options.Add(DbUrl.Option);
        root.Options.Add(ClusterId.Option);
        root.Options.Add(ServiceId.Option);
        root.Options.Add(SiloPort.Option);
        root.Options.Add(GatewayPort.Option);
        root.Options.Add(Advertise.Option);
        root.Options.Add(SiloName.Option);
        root.Options.Add(SiloTlsCertificate.Option);
        root.Options.Add(SiloTlsKey.Option);
        root.Options.Add(SiloTlsCa.Option);
        root.Options.Add(WriteKeys.Option);
        root.Options.Add(ReadKeys.Option);
        root.Options.Add(EraseKeys.Option);
        root.Options.Add(TrustedProxies.Option);
        root.Options.Add(Bots.Option);
        root.Options.Add(Origins.Option);
        root.Options.Add(Fingerprints.Option);
        root.Options.Add(Retention.Option);
        root.Options.Add(ForgetAfter.Option);
        root.SetAction((result, cancellation) => WithSettings(result, settings => ServeCommand.Run(
            settings with { Cluster = settings.Cluster with { Certificates = ReadCertificates(result, Environment.GetEnvironmentVariable) } })));
        root.Subcommands.Add(Subcommand("migrate", "Bring the database to this version, and exit", MigrateCommand.Run));
        root.Subcommands.Add(Subcommand("verify",
            "Fold the whole log and compare it with every snapshot and rollup; exit 1 on a difference", VerifyCommand.Run));
        root.Subcommands.Add(Subcommand("health",
            "Ask the app on this host whether it is ready; exit 0 or 1 (for a container's health check)", HealthCommand.Run));
        root.Subcommands.Add(ImportFlags.Command((result, import) => ImportCommand.Run(Read(result, Environment.GetEnvironmentVariable), import)));
        root.Subcommands.Add(ExportFlags.Command((result, export) => ExportCommand.Run(Read(result, Environment.GetEnvironmentVariable), export)));

        if (args is ["health"]) args = [.. args, .. HealthCommand.FlagsOfTheContainer()];
        var parsed = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        if (parsed.UnmatchedTokens is [var unmatched, ..]) return Mistake(Unmatched(unmatched));
        if (parsed.Errors is [var first, ..]) return Mistake(first.Message);
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static Command Subcommand(string name, string description, Func<AppSettings, Task<int>> run)
    {
        var command = new Command(name, description);
        command.SetAction((result, cancellation) => WithSettings(result, run));
        return command;
    }

    private static Task<int> WithSettings(ParseResult result, Func<AppSettings, Task<int>> run) =>
        run(Read(result, Environment.GetEnvironmentVariable));

    /// <summary>One line and an exit code for whatever ends the program, and never a stack trace.</summary>
    private static async Task<int> Checked(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (UsageException exception)
        {
            return Mistake(exception.Message);
        }
        catch (StartupException exception)
        {
            return Failed(exception.Message);
        }
        catch (Exception exception)
        {
            // Nobody foresaw it. The type says more to whoever it is reported to than to its operator.
            return Failed($"{exception.Message} ({exception.GetType()})");
        }
    }

    private static int Failed(string message)
    {
        Console.Error.WriteLine($"app: {OneLine(message)}");
        return FailureExitCode;
    }

    private static AppSettings Read(ParseResult result, Func<string, string?> environment) => new(
        Port.Read(result, environment), Host.Read(result, environment), DbUrl.Read(result, environment),
        new(ClusterId.Read(result, environment), ServiceId.Read(result, environment),
            SiloPort.Read(result, environment), GatewayPort.Read(result, environment),
            Advertise.Read(result, environment) ?? OnlyHere(Host.Read(result, environment)), SiloName.Read(result, environment)),
        new(WriteKeys.Read(result, environment), ReadKeys.Read(result, environment), EraseKeys.Read(result, environment)))
    {
        TrustedProxies = TrustedProxies.Read(result, environment),
        IgnoresBots = Bots.Read(result, environment),
        Retention = new(Retention.Read(result, environment), ForgetAfter.Read(result, environment)),
        Visitors = new(Origins.Read(result, environment), Fingerprints.Read(result, environment)),
    };

    // Who serves this machine alone has no silos on others, unless it says how they reach it.
    private static IPAddress? OnlyHere(IPAddress host) => IPAddress.IsLoopback(host) ? host : null;

    // Of a silo alone: what asks it, or the database, needs none of these files.
    private static SiloCertificates? ReadCertificates(ParseResult result, Func<string, string?> environment)
    {
        var (certificate, key, authority) = (
            SiloTlsCertificate.Read(result, environment), SiloTlsKey.Read(result, environment), SiloTlsCa.Read(result, environment));
        if (certificate is null && key is null && authority is null) return null;
        if (certificate is null || key is null || authority is null)
            throw new UsageException("-siloTlsCertificate, -siloTlsKey and -siloTlsCa: one of them is missing; they are given together, or not at all");
        try
        {
            return SiloCertificates.Read(certificate, key, authority);
        }
        catch (FormatException exception)
        {
            throw new UsageException(exception.Message);
        }
    }

    private static int Mistake(string message)
    {
        Console.Error.WriteLine($"app: {OneLine(message).TrimEnd('.')}. See app -help.");
        return UsageExitCode;
    }

    // A driver's message may have several.
    private static string OneLine(string message) =>
        string.Join(' ', message.Split(['\n', '\r'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    // Quotes no more of it than a flag's name: the rest may be a URL with a password, behind a mistyped flag.
    private static string Unmatched(string token)
    {
        var name = string.Concat(token.TakeWhile(c => char.IsAsciiLetter(c) || c == '-'));
        return !token.StartsWith('-') ? "there is an argument that is neither a flag, a flag's value nor a command (migrate, verify, health, import, export)"
            : name.Trim('-').Length > 0 ? $"{name}: there is no such flag; upper and lower case count" : "there is an argument that is no flag";
    }

    internal static Uri? ParseServiceUrl(string text) =>
        text == "auto" ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "http" or "https", UserInfo: "" } ? url
        : throw new FormatException("expected an http:// or https:// URL without user and password, or auto");

    internal static string? ParseServiceKey(string text) =>
        text == None ? null
        : text.Length > 0 && text.All(c => c is > ' ' and <= '~') ? text
        : throw new FormatException("expected a key: letters, digits and other visible ASCII characters");

    private static int ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw new FormatException("expected a port from 1 to 65535");

    private static string? ParseFile(string text) =>
        text == None ? null : text.Length > 0 && !text.Contains('\0') ? text : throw new FormatException("expected a file, or none");

    private static int ParsePortOrZero(string text) => text == "0" ? 0 : ParsePort(text);

    // What Orleans' tables and logs take without surprises.
    private static string ParseName(string text) =>
        text.Length is > 0 and <= 100 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? text
            : throw new FormatException("expected 1 to 100 letters, digits, dashes, dots or underscores");

    private static IPAddress? ParseAdvertise(string text) =>
        text == "auto" ? null
        : IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any) ? address
        : throw new FormatException("expected an IP address that other hosts can reach, or auto");

    private static IReadOnlyList<IPNetwork> ParseNetworks(string text) => text == None ? [] : [.. text.Split(',').Select(ParseNetwork)];

    private static IPNetwork ParseNetwork(string text) =>
        IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new(address, address.GetAddressBytes().Length * 8)
        : throw new FormatException("expected IP addresses or networks such as 10.0.0.0/8, separated by commas and without spaces");

    private static bool ParseBots(string text) => text switch
    {
        "count" => false,
        "ignore" => true,
        _ => throw new FormatException("expected count or ignore"),
    };

    private static IPAddress ParseHost(string text) =>
        text == "localhost" ? IPAddress.Loopback
        : IPAddress.TryParse(text.Trim('[', ']'), out var address) ? address
        : throw new FormatException("expected an IP address, such as 0.0.0.0, 127.0.0.1 or ::, or localhost");
}
