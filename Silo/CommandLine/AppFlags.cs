using System.Net;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Settings;
using static Tally.Silo.CommandLine.FlagValues;

namespace Tally.Silo.CommandLine;

/// <summary>
/// Every flag of the service, once. Parsing, -help and the tests of README.md and the Dockerfile follow from it.
/// </summary>
internal static class AppFlags
{
    public static readonly IReadOnlyList<Flag<AppSettings>> All =
    [
        new("port", "number", "9000", "TCP port of the HTTP front end",
            (app, text) => app with { Port = ParsePort(text) }),
        new("host", "address", "0.0.0.0", "Address to listen on: an IP address or localhost",
            (app, text) => app with { Host = ParseHost(text) }),
        new("dbUrl", "url", "sqlite:data/tally.db", """
            Database, one of
              sqlite:PATH
              postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=...
              an Npgsql connection string
            """, (app, text) => app with { DbUrl = DatabaseUrl.Parse(text) }, "APP_DBURL", "DB_URL"),

        // With Postgres only: SQLite has one silo.
        new("clusterId", "name", "tally", "Silos with the same cluster id on one Postgres are one service",
            (app, text) => app with { Cluster = app.Cluster with { ClusterId = ParseName(text) } }),
        new("serviceId", "name", "tally", "Part of every snapshot's key: choose it before the first start",
            (app, text) => app with { Cluster = app.Cluster with { ServiceId = ParseName(text) } }),
        new("siloPort", "number", "0", "TCP port for other silos; 0 picks a free one",
            (app, text) => app with { Cluster = app.Cluster with { SiloPort = ParsePortOrZero(text) } }),
        new("gatewayPort", "number", "0", "TCP port for Orleans clients; 0 opens none",
            (app, text) => app with { Cluster = app.Cluster with { GatewayPort = ParsePortOrZero(text) } }),
        // After -host: what serves this machine alone has no silos on others, unless it says how they reach it.
        new("advertise", "address", "auto", """
            IP address under which other silos reach this one; auto is the one used to
            reach the database, or the loopback address if -host is one
            """, (app, text) =>
                app with { Cluster = app.Cluster with { Advertise = ParseAdvertise(text) ?? LoopbackOf(app) } }),
        new("siloName", "name", Environment.MachineName, "This silo's name in logs and in the membership table",
            (app, text) => app with { Cluster = app.Cluster with { SiloName = ParseName(text) } }),
        new("siloTlsCertificate", "file", None,
            "TLS between silos: PEM file with this silo's certificate; needs the next two as well",
            (app, text) => app with { Cluster = app.Cluster with { TlsCertificate = ParseFile(text) } }),
        new("siloTlsKey", "file", None, "PEM file with the certificate's key, not encrypted",
            (app, text) => app with { Cluster = app.Cluster with { TlsKey = ParseFile(text) } }),
        new("siloTlsCa", "file", None, "PEM file with the authority that issued every silo's certificate",
            (app, text) => app with { Cluster = app.Cluster with { TlsCa = ParseFile(text) } }),

        new("logFormat", "format", "text", """
            What is logged on standard output
              text: a line for each message
              json: an object for each, on a line of its own
            """, (app, text) => app with { LogFormat = ParseLogFormat(text) }),

        new("writeKeys", "keys", None, """
            Who may send events: keys of 16 to 128 characters, separated by white space,
            best kept in a file. KEY;products=NAME,NAME;origins=https://SITE restricts one
            """, (app, text) => app with { WriteKeys = text == None ? [] : AccessKeys.ParseWriteKeys(text) }),
        new("readKeys", "keys", None, "Who may query, and scrape /metrics: keys as above, without restrictions",
            (app, text) => app with { ReadKeys = text == None ? [] : AccessKeys.ParseReadKeys(text) }),
        new("eraseKeys", "keys", None, """
            Who may erase a fingerprint: keys as above, without restrictions. If other keys
            are set and none of these, nobody may
            """, (app, text) => app with { EraseKeys = text == None ? [] : AccessKeys.ParseEraseKeys(text) }),
        new("ruleKeys", "keys", None, """
            Who may change rules: keys as above, without restrictions. If other keys are set
            and none of these, nobody may
            """, (app, text) => app with { RuleKeys = text == None ? [] : AccessKeys.ParseRuleKeys(text) }),

        new("trustedProxies", "ips", None, """
            Comma-separated IP addresses or networks (10.0.0.0/8) of the proxies whose
            X-Forwarded-For names the client, and X-Forwarded-Proto its scheme
            """, (app, text) => app with { TrustedProxies = ParseNetworks(text) }),
        new("webhookNetworks", "ips", None, """
            Comma-separated IP addresses or networks (10.0.0.0/8) that webhooks may reach
            beside the public internet
            """, (app, text) => app with { WebhookNetworks = ParseNetworks(text) }),
        new("bots", "what", "count", """
            Events of known bots, by user agent: count them, or ignore them, which also
            answers 200
            """, (app, text) => app with { IgnoresBots = ParseIgnoresBots(text) }),
        new("trackers", "list", AllNames, $"""
            Other tools whose scripts and SDKs may send events, comma-separated: all, {None}, or some
            of {string.Join(", ", TrackerEndpoints.Names)}
            """, (app, text) => app with { Trackers = ParseTrackers(text) }),
        new("corsOrigins", "list", None,
            "Comma-separated origins whose pages may read the answers to posted events; * is any",
            (app, text) => app with { Visitors = app.Visitors with { CorsOrigins = ParseOrigins(text) } }),
        new("frameAncestors", "list", None,
            "Comma-separated origins whose pages may show Tally's own in a frame; * is any",
            (app, text) => app with { FrameAncestors = ParseOrigins(text) }),
        new("fingerprints", "source", "client", """
            Who gives a fingerprint to an event without one
              client: nobody, the event is refused
              server: a hash of address, user agent and site that changes each day
            """, (app, text) => app with { Visitors = app.Visitors with { Fingerprints = ParseFingerprints(text) } }),

        new("timeZone", "name", "UTC", """
            Whose days, weeks and months are counted: a name of the IANA database, such as
            Europe/Berlin. Choose it before the first start: the database keeps it
            """, (app, text) => app with { Calendar = ParseTimeZone(text) }),
        new("dimensions", "list", Default, """
            Comma-separated properties whose values are counted. default is path, referrer,
            utm_source, utm_medium, utm_campaign, title, language, screen and link
            """, (app, text) => app with { Dimensions = ParseDimensions(text) }),
        new("derive", "list", None, """
            Also count by browser, os, device (all from the user agent, which is not kept) and
            channel (from referrer and utm): comma-separated
            """, (app, text) => app with { Derived = app.Derived with { Names = ParseDerived(text) } }),
        new("geoDatabase", "file", None, """
            Also count by country: an mmdb file with the countries of addresses, which are
            not kept
            """, (app, text) => app with { Derived = app.Derived with { Countries = ParseCountries(text) } }),

        new("retention", "age", None, """
            Remove events this long after they were accepted, such as 90d or 36h; counters
            and totals stay
            """, (app, text) => app with { Retention = app.Retention with { Retention = ParseAge(text) } }),
        new("forgetAfter", "age", None,
            "Erase fingerprints whose last event happened longer ago than this, such as 365d",
            (app, text) => app with { Retention = app.Retention with { ForgetAfter = ParseAge(text) } }),
    ];

    private static IPAddress? LoopbackOf(AppSettings app) => IPAddress.IsLoopback(app.Host) ? app.Host : null;
}
