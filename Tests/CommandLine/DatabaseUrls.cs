using Npgsql;
using Tally.Silo.Settings;

namespace Tally.Tests.CommandLine;

/// <summary>The forms that -dbUrl takes.</summary>
public sealed class DatabaseUrls
{
    [Theory]
    [InlineData("sqlite:data/tally.db", "data/tally.db")]
    [InlineData("sqlite:/var/lib/tally/tally.db", "/var/lib/tally/tally.db")]
    [InlineData("SQLITE:a b%20c.db", "a b%20c.db")]
    public void A_sqlite_path_is_taken_as_it_is(string url, string path) =>
        Assert.Equal(path, Assert.IsType<DatabaseUrl.Sqlite>(DatabaseUrl.Parse(url)).Path);

    [Theory]
    [InlineData("postgres://user:pass@host:5433/db", "host", 5433, "user", "pass", "db")]
    [InlineData("postgresql://user:pass@host/db", "host", 5432, "user", "pass", "db")]
    [InlineData("postgres://host", "host", 5432, null, null, null)]
    [InlineData("postgres://us%40er:p%40%3A%2F%3F%23%25%26%3D%20%C3%A9@host/d%2Fb%20%C3%A9", "host", 5432, "us@er",
        "p@:/?#%&= é", "d/b é")]
    [InlineData("postgres://u:a:b;c='d'@host/db", "host", 5432, "u", "a:b;c='d'", "db")]
    [InlineData("postgres://u:p@[::1]:6000/db", "::1", 6000, "u", "p", "db")]
    [InlineData("postgres://u:p@[2001:db8::7]/db", "2001:db8::7", 5432, "u", "p", "db")]
    [InlineData("Host=host;Port=5433;Username=user;Password='p;a=s s';Database=db", "host", 5433, "user", "p;a=s s",
        "db")]
    [InlineData("Server=host;User Id=user;Pwd=pass;Database=db", "host", 5432, "user", "pass", "db")]
    public void A_postgres_url_or_connection_string_is_taken_apart(
        string url, string host, int port, string? user, string? password, string? database)
    {
        var settings = Settings(url);
        Assert.Equal((host, port, user, password, database),
            (settings.Host, settings.Port, settings.Username, settings.Password, settings.Database));
    }

    [Theory]
    [InlineData("disable", SslMode.Disable)]
    [InlineData("allow", SslMode.Allow)]
    [InlineData("prefer", SslMode.Prefer)]
    [InlineData("require", SslMode.Require)]
    [InlineData("verify-ca", SslMode.VerifyCA)]
    [InlineData("verify-full", SslMode.VerifyFull)]
    [InlineData("VerifyFull", SslMode.VerifyFull)]
    public void Sslmode_is_taken_in_both_spellings(string text, SslMode mode)
    {
        Assert.Equal(mode, Settings($"postgres://h/db?sslmode={text}").SslMode);
        Assert.Equal(mode, Settings($"Host=h;SslMode={text}").SslMode);
    }

    [Fact]
    public void Parameters_are_libpqs_or_npgsqls()
    {
        var settings =
            Settings("postgres://h/db?connect_timeout=7&application_name=my%20app&sslrootcert=/ca.pem&Command%20Timeout=9&search_path=a,b");
        Assert.Equal((7, "my app", "/ca.pem", 9, "a,b"),
            (settings.Timeout, settings.ApplicationName, settings.RootCertificate, settings.CommandTimeout,
                settings.SearchPath));
    }

    [Theory]
    [InlineData("postgres://u:p@h1:6001,h2,[::1]:6003/db?target_session_attrs=read-write", "h1:6001,h2:5432,[::1]:6003",
        "read-write")]
    [InlineData("postgres://h1,h2/db", "h1:5432,h2:5432", "read-write")]
    [InlineData("postgres://h1,h2/db?target_session_attrs=any", "h1:5432,h2:5432", "read-write")]
    [InlineData("postgres://h1,h2/db?target_session_attrs=primary&load_balance_hosts=random", "h1:5432,h2:5432",
        "primary")]
    [InlineData("postgres://h1,h2/db?port=6001,6002", "h1:6001,h2:6002", "read-write")]
    [InlineData("postgres:///db?host=h1,/var/run,::1&port=6001", "h1:6001,/var/run:6001,[::1]:6001", "read-write")]
    [InlineData("postgres:///db?hostaddr=10.0.0.1,10.0.0.2", "10.0.0.1:5432,10.0.0.2:5432", "read-write")]
    [InlineData("Host=h1,h2:6002;Database=db;Target Session Attributes=prefer-primary", "h1,h2:6002", "read-write")]
    [InlineData("postgres://h1/db?target_session_attrs=read-write", "h1", null)]
    [InlineData("postgres://%2Fvar%2Frun%2Fpostgresql:6000/db", "/var/run/postgresql", null)]
    [InlineData("postgres://u:p@/db?host=/var/run/postgresql", "/var/run/postgresql", null)]
    [InlineData("postgres://other:1/db?host=h&port=7", "h", null)]
    [InlineData("postgres://bücher.example/db", "xn--bcher-kva.example", null)]
    public void Hosts_are_taken_as_libpq_takes_them_and_of_several_the_one_that_can_be_written(string url, string host,
        string? attributes)
    {
        var settings = Settings(url);
        Assert.Equal((host, attributes), (settings.Host, settings.TargetSessionAttributes));
    }

    [Theory]
    [InlineData("postgres://h/?dbname=db&user=me&password=p", "DB=db;Username=me;Password=p")]
    [InlineData("postgres://h/db?passfile=/p&options=-c%20work_mem%3D1MB&krbsrvname=k",
        "DB=db;Passfile=/p;Options=-c work_mem=1MB;Kerberos Service Name=k")]
    [InlineData("postgres://h/db?channel_binding=require", "DB=db;Channel Binding=Require;Require Auth=ScramSHA256")]
    [InlineData("postgres://h/db?channel_binding=disable&require_auth=!md5,!none",
        "DB=db;Channel Binding=Disable;Require Auth=!MD5,!None")]
    [InlineData("postgres://h/db?keepalives=1&keepalives_idle=30&keepalives_interval=5&keepalives_count=0",
        "DB=db;Tcp Keepalive=true;Tcp Keepalive Time=30;Tcp Keepalive Interval=5")]
    [InlineData("postgres://h/db?keepalives=0&keepalives_idle=30", "DB=db;Tcp Keepalive Time=0")]
    [InlineData("postgres://h/db?sslmode=require&sslrootcert=/ca", "DB=db;SSL Mode=VerifyCA;Root Certificate=/ca")]
    [InlineData("postgres://h/db?sslrootcert=system", "DB=db;SSL Mode=VerifyFull")]
    [InlineData("postgres://h/db?sslcert=/c&sslkey=/k&sslpassword=p",
        "DB=db;SSL Certificate=/c;SSL Key=/k;SSL Password=p")]
    [InlineData("postgres://h/db?requiressl=1", "DB=db;SSL Mode=Require")]
    [InlineData("postgres://h/db?ssl=true", "DB=db;SSL Mode=Require")]
    [InlineData("postgres://h/db?sslnegotiation=direct&sslmode=verify-full",
        "DB=db;SSL Negotiation=Direct;SSL Mode=VerifyFull")]
    [InlineData("postgres://h/db?gssencmode=require", "DB=db;GSS Encryption Mode=Require")]
    [InlineData("postgres://h/db?fallback_application_name=f", "DB=db;Application Name=f")]
    [InlineData("postgres://h/db?fallback_application_name=f&application_name=a", "DB=db;Application Name=a")]
    [InlineData("postgres://h/db?connect_timeout=-1", "DB=db;Timeout=0")]
    [InlineData("postgres://h/db?client_encoding=auto", "DB=db")]
    [InlineData("postgres://h/db?replication=false&sslcompression=1&sslcertmode=allow&sslsni=1&gssdelegation=0&tcp_user_timeout=0"
        + "&ssl_min_protocol_version=TLSv1.2&ssl_max_protocol_version=TLSv1.3&min_protocol_version=3.0&max_protocol_version=latest", "DB=db")]
    public void Libpqs_key_words_have_their_meaning(string url, string settings)
    {
        // Set without a key word: the host, and no attempt at Kerberos encryption.
        NpgsqlConnectionStringBuilder expected = new("Host=h;Port=5432;Client Encoding=UTF8;" + settings), taken =
            Settings(url);
        if (expected.GssEncryptionMode == GssEncryptionMode.Prefer)
            expected.GssEncryptionMode = GssEncryptionMode.Disable;
        foreach (var keyword in expected.Keys.Union(taken.Keys))
            Assert.Equal((keyword, expected[keyword]), (keyword, taken[keyword]));
    }

    [Theory]
    [InlineData("service=sekret", "'service' is not read")]
    [InlineData("servicefile=sekret", "'servicefile' is not read")]
    [InlineData("hostaddr=10.0.0.1", "'hostaddr' has no place beside a host")]
    [InlineData("keepalives_count=3", "'keepalives_count' cannot be set")]
    [InlineData("tcp_user_timeout=3", "'tcp_user_timeout' cannot be set")]
    [InlineData("client_encoding=LATIN1", "'client_encoding' must be UTF8")]
    [InlineData("replication=database", "'replication' is for replication")]
    [InlineData("sslcompression=sekret", "'sslcompression' is 0 or 1")]
    [InlineData("sslcertmode=require", "'sslcertmode' must be allow")]
    [InlineData("sslcrl=sekret", "'sslcrl' is not read")]
    [InlineData("sslcrldir=sekret", "'sslcrldir' is not read")]
    [InlineData("sslkeylogfile=sekret", "'sslkeylogfile' is not written")]
    [InlineData("sslsni=0", "'sslsni' must be 1")]
    [InlineData("requirepeer=sekret", "'requirepeer' cannot be checked")]
    [InlineData("ssl_min_protocol_version=TLSv1.3", "'ssl_min_protocol_version' cannot ask for more")]
    [InlineData("ssl_max_protocol_version=TLSv1.2", "'ssl_max_protocol_version' must be TLSv1.3")]
    [InlineData("min_protocol_version=3.2", "'min_protocol_version' must be 3.0")]
    [InlineData("max_protocol_version=sekret", "'max_protocol_version' is 3.0")]
    [InlineData("gsslib=gssapi", "'gsslib' has a meaning on Windows alone")]
    [InlineData("gssdelegation=1", "'gssdelegation' must be 0")]
    [InlineData("scram_client_key=sekret", "'scram_client_key' is not known")]
    [InlineData("scram_server_key=sekret", "'scram_server_key' is not known")]
    [InlineData("oauth_issuer=sekret", "'oauth_issuer' is not known")]
    [InlineData("oauth_client_id=sekret", "'oauth_client_id' is not known")]
    [InlineData("oauth_client_secret=sekret", "'oauth_client_secret' is not known")]
    [InlineData("oauth_scope=sekret", "'oauth_scope' is not known")]
    [InlineData("require_auth=oauth", "'require_auth' is unknown or its value")]
    [InlineData("require_auth=md5&channel_binding=require", "'channel_binding' is require, which needs scram-sha-256")]
    [InlineData("channel_binding=require&sslmode=disable", "'channel_binding' is require, which needs TLS")]
    [InlineData("channel_binding=sekret", "'channel_binding' is unknown or its value")]
    [InlineData("target_session_attrs=standby", "'target_session_attrs' must be read-write")]
    [InlineData("target_session_attrs=prefer-standby", "'target_session_attrs' must be read-write")]
    [InlineData("target_session_attrs=read-only", "'target_session_attrs' must be read-write")]
    [InlineData("target_session_attrs=sekret", "'target_session_attrs' is unknown or its value")]
    [InlineData("load_balance_hosts=sekret", "'load_balance_hosts' is unknown or its value")]
    [InlineData("sslnegotiation=direct", "'sslnegotiation' is direct, which needs")]
    [InlineData("sslrootcert=system&sslmode=require", "'sslrootcert' is system, which needs")]
    [InlineData("requiressl=sekret", "'requiressl' is unknown or its value")]
    [InlineData("keepalives=sekret", "'keepalives' is unknown or its value")]
    [InlineData("keepalives_idle=sekret", "'keepalives_idle' is unknown or its value")]
    [InlineData("gssencmode=sekret", "'gssencmode' is unknown or its value")]
    [InlineData("port=1,2", "'port' has another number of ports")]
    [InlineData("connect_timeout=99999999999999999999", "'connect_timeout' is unknown or its value")]
    public void What_of_libpqs_key_words_does_not_fit_is_refused_by_name_with_the_reason(string parameter,
        string reason) =>
        Assert.Contains(reason, Refusal("postgres://h/db?" + parameter));

    // Every one of the "Parameter Key Words" in PostgreSQL 18's documentation of libpq.
    [Fact]
    public void No_key_word_of_libpq_is_unknown()
    {
        foreach (var word in ("host hostaddr port dbname user password passfile require_auth channel_binding connect_timeout client_encoding options "
            + "application_name fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout replication "
            + "gssencmode sslmode requiressl sslnegotiation sslcompression sslcert sslkey sslkeylogfile sslpassword sslcertmode sslrootcert sslcrl "
            + "sslcrldir sslsni requirepeer ssl_min_protocol_version ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname "
            + "gsslib gssdelegation scram_client_key scram_server_key service servicefile target_session_attrs load_balance_hosts oauth_issuer "
            + "oauth_client_id oauth_client_secret oauth_scope").Split(' '))
        {
            // Values of all kinds: either one of them is accepted, or the word is refused with a reason.
            var refusals =
                ((string[])["1", "0", "any", "disable", "md5", "UTF8", "postgres", "allow", "require", "TLSv1.2",
                    "TLSv1.3", "3.0", "h"])
                .Select(value =>
                    Record.Exception(() => DatabaseUrl.Parse($"postgres:///db?host=h&{word}={value}"))?.Message)
                    .ToList();
            Assert.True(refusals.Contains(null) || refusals.TrueForAll(refusal => !refusal!.Contains("unknown")), word);
        }
    }

    [Theory]
    [InlineData("postgres://u:sekret@h:1,h:2:3/db")]
    [InlineData("postgres://u:sekret@h:0/db")]
    [InlineData("postgres://u:sekret@h:65536/db")]
    [InlineData("postgres://u:sekret@a@h/db")]
    [InlineData("postgres://u:sekret@h,/db")]
    [InlineData("postgres://u:sekret@[::1/db")]
    [InlineData("postgres://u:sekret@[h]/db")]
    [InlineData("postgres://u:sekret@[::1]x/db")]
    [InlineData("postgres://u:sek%00ret@h/db")]
    [InlineData("postgres://u:sekret@h/d%00b")]
    [InlineData("postgres://u:sekret@sek ret/db")]
    [InlineData("postgres://u:sekret@/db")]
    [InlineData("Host=h port=5432 user=u password=sekret")]
    [InlineData("host=h;Client Encoding=sekret")]
    [InlineData("Host=h;Port=sekret")]
    [InlineData("Host=h,h2;Target Session Attributes=standby;Password=sekret")]
    public void Hosts_that_cannot_be_are_refused_without_a_word_of_them(string url) =>
        Assert.NotEqual("", Refusal(url));

    [Theory]
    [InlineData("postgres://u:sekret@h/db?bogus=sekret", "'bogus'")]
    [InlineData("postgres://h/db?sslmode=sekret", "'sslmode'")]
    [InlineData("postgres://h/db?sslmode=99", "'sslmode'")]
    [InlineData("postgres://h/db?connect_timeout=sekret", "'connect_timeout'")]
    [InlineData("Host=h;Password=sekret;Bogus=sekret", "'bogus'")]
    [InlineData("Host=h;Timeout=sekret", "'timeout'")]
    public void A_parameter_at_fault_is_named_and_its_value_is_not(string url, string named) =>
        Assert.Contains(named, Refusal(url));

    [Theory]
    [InlineData("")]
    [InlineData("sekret")]
    [InlineData("sqlite:")]
    [InlineData("sqlite:a\0b")]
    [InlineData("http://u:sekret@h/")]
    [InlineData("postgres://")]
    [InlineData("postgres:///db")]
    [InlineData("postgres://u:sekret@[bad/db")]
    [InlineData("postgres://u:sekret@h:notaport/db")]
    [InlineData("postgres://u:sek/ret@h/db")]
    [InlineData("postgres://u:1/sekret@h/db")]
    [InlineData("postgres://u:1?sekret@h/db")]
    [InlineData("postgres://u:1#sekret@h/db")]
    [InlineData("postgres://h/db?x1sekret=1")]
    [InlineData("Port=5432;Password=sekret")]
    [InlineData("Host=h;sekret")]
    public void What_cannot_be_read_is_refused_without_a_word_of_it(string url) => Assert.NotEqual("", Refusal(url));

    [Theory]
    [InlineData("postgres://u:sekret@h:1/db?sslmode=require", "postgres://h:1/db")]
    [InlineData("postgres://u:sekret@[::1]/db", "postgres://[::1]:5432/db")]
    [InlineData("Host=h;Username=u;Password=sekret;Database=db", "postgres://h:5432/db")]
    [InlineData("postgres://u:sekret@h:1,[::1]/db", "postgres://h:1,[::1]:5432/db")]
    [InlineData("postgres://u:sekret@/db?host=/a/b", "postgres://%2Fa%2Fb:5432/db")]
    [InlineData("Host=h1:7,h2;Password=sekret;Database=db", "postgres://h1:7,h2:5432/db")]
    public void Its_text_for_logs_has_no_password(string url, string text) =>
        Assert.Equal(text, DatabaseUrl.Parse(url).ToString());

    private static NpgsqlConnectionStringBuilder Settings(string url) =>
        Assert.IsType<DatabaseUrl.Postgres>(DatabaseUrl.Parse(url)).Settings;

    private static string Refusal(string url)
    {
        var message = Assert.Throws<FormatException>(() => DatabaseUrl.Parse(url)).Message;
        Assert.DoesNotContain("sek", message);
        return message;
    }
}
