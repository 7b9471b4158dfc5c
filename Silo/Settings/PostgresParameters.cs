using Npgsql;

namespace Tally.Silo.Settings;

/// <summary>
/// libpq's parameter key words on Npgsql's settings: each is taken with its meaning, or refused by name with the
/// reason. Other names are Npgsql's own.
/// </summary>
/// <param name="settings">What they are put into.</param>
/// <param name="ofUrl">False for Npgsql's own connection strings, which keep what Npgsql makes of them.</param>
/// <remarks>The list is PostgreSQL 18's, "Parameter Key Words" in the documentation of libpq.</remarks>
internal sealed class PostgresParameters(NpgsqlConnectionStringBuilder settings, bool ofUrl)
{
    private const int ConnectSecondsMax = 1024; // Npgsql's
    private const int KeepAliveSeconds = 7200; // Linux' own

    private string? fallbackName;
    private bool? keepAlive;
    private bool hasGssMode, hasSslMode, requireSsl, systemRoots;

    /// <summary>What the parameter host says, instead of the URL's own hosts.</summary>
    public string? Hosts { get; private set; }

    /// <summary>What the parameter hostaddr says.</summary>
    public string? Addresses { get; private set; }

    public string? Ports { get; private set; }

    /// <exception cref="FormatException">Names the parameter and says why; never quotes its value.</exception>
    public void Set(string name, string value)
    {
        if (Refusal(name, value) is { } reason) throw new FormatException($"the parameter '{name}' {reason}");
        try
        {
            Take(name, value);
        }
        catch (Exception exception)
            when (exception is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            // Only what looks like a name is quoted: anything else may be a part of a password.
            throw new FormatException(name.All(c => char.IsAsciiLetter(c) || c is '_' or ' ')
                ? $"the parameter '{name}' is unknown or its value cannot be read"
                : "one of the parameters is unknown");
        }
    }

    private void Take(string name, string value)
    {
        switch (name)
        {
            case "host" when ofUrl: Hosts = value; break;
            case "hostaddr" when ofUrl: Addresses = value; break;
            case "port" when ofUrl: Ports = value; break;
            case "dbname": settings.Database = value; break;
            case "user": settings.Username = value; break;
            case "password": settings.Password = value; break;
            case "passfile": settings.Passfile = value; break;
            case "require_auth": settings.RequireAuth = AuthenticationMethods(value); break;
            case "channel_binding": settings.ChannelBinding = Word<ChannelBinding>(value); break;
            case "connect_timeout":
                settings.Timeout =
                Math.Clamp(int.Parse(value, provider: null), 0, ConnectSecondsMax); break;
            case "client_encoding": settings.ClientEncoding = value == "auto" ? "UTF8" : value; break;
            case "options": settings.Options = value; break;
            case "application_name": settings.ApplicationName = value; break;
            case "fallback_application_name": fallbackName = value; break;
            case "keepalives": keepAlive = Flag(value); break;
            case "keepalives_idle": settings.TcpKeepAliveTime = int.Parse(value, provider: null); break;
            case "keepalives_interval": settings.TcpKeepAliveInterval = int.Parse(value, provider: null); break;
            case "gssencmode" or "gss encryption mode":
                (hasGssMode, settings.GssEncryptionMode) = (true,
                Word<GssEncryptionMode>(value)); break;
            case "krbsrvname": settings.KerberosServiceName = value; break;
            case "sslmode" or "ssl mode": (hasSslMode, settings.SslMode) = (true, Word<SslMode>(value)); break;
            case "ssl" when value == "true": requireSsl = true; break; // JDBC's, which libpq reads too
            case "requiressl": requireSsl = Flag(value); break;
            case "sslnegotiation": settings.SslNegotiation = Word<SslNegotiation>(value); break;
            case "sslrootcert" when value == "system": systemRoots = true; break;
            case "sslrootcert": settings.RootCertificate = value; break;
            case "sslcert": settings.SslCertificate = value; break;
            case "sslkey": settings.SslKey = value; break;
            case "sslpassword": settings.SslPassword = value; break;
            case "target_session_attrs": settings.TargetSessionAttributes = value; break;
            case "load_balance_hosts"
                when value is "disable" or "random":
                settings.LoadBalanceHosts = value == "random"; break;
            case "search_path": settings.SearchPath = value; break; // no key word of libpq's, but often written as one
            // What these say is so already, or makes no difference.
            case "keepalives_count" or "tcp_user_timeout" or "replication" or "sslcompression" or "sslcertmode"
                or "sslsni" or "gssdelegation"
                or "ssl_min_protocol_version" or "ssl_max_protocol_version" or "min_protocol_version"
                or "max_protocol_version":
                break;
            default: settings[name] = value; break;
        }
    }

    // Of those that have a value which changes nothing, any other.
    private static string? Refusal(string name, string value) => name switch
    {
        "service" or "servicefile" => "is not read: write the service's own settings into the URL",
        "keepalives_count" when value != "0" => "cannot be set: the system's net.ipv4.tcp_keepalive_probes holds",
        "tcp_user_timeout" when value != "0" => "cannot be set: the system's own time holds",
        "client_encoding" when !IsUtf8(value) => "must be UTF8: events are text in any language",
        "replication" when value is not ("false" or "off" or "no" or "0") => "is for replication, and not for queries",
        "sslcompression" when value is not ("0" or "1") => "is 0 or 1",
        "sslcertmode" when value != "allow" =>
            "must be allow: a certificate is sent where sslcert names one and the server asks for it",
        "sslcrl" or "sslcrldir" => "is not read, so a revoked certificate would pass",
        "sslkeylogfile" => "is not written: it would hold the keys of all connections",
        "sslsni" when value != "1" => "must be 1: the server's name is always sent",
        "requirepeer" => "cannot be checked: who runs the server behind a socket is not known here",
        "ssl_min_protocol_version" when value is not ("" or "TLSv1" or "TLSv1.1" or "TLSv1.2") =>
            "cannot ask for more than TLSv1.2, the least that is used",
        "ssl_max_protocol_version" when value is not ("" or "TLSv1.3") =>
            "must be TLSv1.3: the best that both sides know is used",
        "min_protocol_version" when value != "3.0" => "must be 3.0, the version that is used",
        "max_protocol_version" when value is not ("3.0" or "3.2" or "latest") => "is 3.0, 3.2 or latest",
        "gsslib" => "has a meaning on Windows alone",
        "gssdelegation" when value != "0" => "must be 0: credentials are never handed on",
        "scram_client_key" or "scram_server_key" => "is not known to this driver: give the password",
        "oauth_issuer" or "oauth_client_id" or "oauth_client_secret" or "oauth_scope" =>
            "is not known to this driver, which has no OAuth",
        "target_session_attrs" when value is "standby" or "prefer-standby" or "read-only" =>
            "must be read-write, primary or any: Tally writes",
        _ => null,
    };

    /// <summary>Checks what depends on several, once all are there.</summary>
    /// <exception cref="FormatException">Says what does not go together.</exception>
    public void Complete()
    {
        if (settings.ClientEncoding is { } encoding && !IsUtf8(encoding))
            throw new FormatException("the client encoding must be UTF8: events are text in any language");
        settings.ClientEncoding = "UTF8"; // said here, PGCLIENTENCODING does not change it
        if (fallbackName is not null && string.IsNullOrEmpty(settings.ApplicationName))
            settings.ApplicationName = fallbackName;
        // Preferring Kerberos' encryption, the default, prints two lines where its library is missing, as in the image.
        if (!hasGssMode && Environment.GetEnvironmentVariable("PGGSSENCMODE") is null)
            settings.GssEncryptionMode = GssEncryptionMode.Disable;
        CompleteKeepAlive();
        CompleteSsl();
        RequireChannelBinding();
        OnlyWritable();
    }

    private void CompleteKeepAlive()
    {
        // Npgsql takes none alone
        if (settings is { TcpKeepAliveInterval: > 0, TcpKeepAliveTime: 0 })
            settings.TcpKeepAliveTime = KeepAliveSeconds;
        if (keepAlive is not { } wanted) return;
        settings.TcpKeepAlive = wanted;
        if (!wanted) (settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (0, 0);
    }

    private void CompleteSsl()
    {
        if (requireSsl && !hasSslMode) settings.SslMode = SslMode.Require;
        if (systemRoots && hasSslMode && settings.SslMode != SslMode.VerifyFull)
            throw new FormatException("the parameter 'sslrootcert' is system, which needs sslmode=verify-full");
        if (systemRoots) settings.SslMode = SslMode.VerifyFull;
        // libpq checks the server's certificate where it has a root to check it with; Npgsql would not look at it.
        if (ofUrl && settings.SslMode == SslMode.Require && !string.IsNullOrEmpty(settings.RootCertificate))
            settings.SslMode = SslMode.VerifyCA;
        if (settings.SslNegotiation == SslNegotiation.Direct
            && settings.SslMode is not (SslMode.Require or SslMode.VerifyCA or SslMode.VerifyFull))
            throw new FormatException(
                "the parameter 'sslnegotiation' is direct, which needs sslmode=require, verify-ca or verify-full");
    }

    // Npgsql looks at it where the server asks for a SCRAM password; a server that asks for none, or in another way,
    // must not pass.
    private void RequireChannelBinding()
    {
        if (settings.ChannelBinding != ChannelBinding.Require) return;
        if (settings.SslMode is SslMode.Disable)
            throw new FormatException(
                "the parameter 'channel_binding' is require, which needs TLS: sslmode is disable");
        var methods = settings.RequireAuth is { Length: > 0 } given ? given.Split(',', StringSplitOptions.TrimEntries)
            : ["ScramSHA256"];
        if (!methods.Contains("ScramSHA256"))
            throw new FormatException(
                "the parameter 'channel_binding' is require, which needs scram-sha-256 in require_auth");
        settings.RequireAuth = "ScramSHA256";
    }

    // Of several servers, the one that can be written to. Of one, Npgsql takes no such setting: the start looks.
    private void OnlyWritable()
    {
        if (settings.TargetSessionAttributes is "standby" or "prefer-standby" or "read-only")
            throw new FormatException("the target session attributes must be read-write, primary or any: Tally writes");
        settings.TargetSessionAttributes = settings.Host?.Contains(',') != true ? null
            : settings.TargetSessionAttributes == "primary" ? "primary" : "read-write";
    }

    private static bool IsUtf8(string encoding) =>
        encoding.Replace("-", "").ToUpperInvariant() is "UTF8" or "UNICODE" or "AUTO";

    // libpq writes verify-full where Npgsql writes VerifyFull. A number is neither's.
    private static T Word<T>(string value) where T : struct, Enum =>
        value.All(c => char.IsAsciiLetter(c) || c == '-') ? Enum.Parse<T>(value.Replace("-", ""), ignoreCase: true)
            : throw new FormatException();

    private static bool Flag(string value) =>
        value switch { "1" => true, "0" => false, _ => throw new FormatException() };

    private static string AuthenticationMethods(string value) => string.Join(',', value.Split(',').Select(method =>
    {
        var (not, name) = method.StartsWith('!') ? ("!", method[1..]) : ("", method);
        return not + name switch
        {
            "password" => "Password",
            "md5" => "MD5",
            "gss" => "GSS",
            "sspi" => "SSPI",
            "scram-sha-256" => "ScramSHA256",
            "none" => "None",
            _ => throw new FormatException(),
        };
    }));
}
