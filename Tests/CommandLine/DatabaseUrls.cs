using Npgsql;
using Tally.Silo.Storage;

namespace Tally.Tests.CommandLine;

/// <summary>What -dbUrl takes.</summary>
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
    [InlineData("postgres://us%40er:p%40%3A%2F%3F%23%25%26%3D%20%C3%A9@host/d%2Fb%20%C3%A9", "host", 5432, "us@er", "p@:/?#%&= é", "d/b é")]
    [InlineData("postgres://u:a:b;c='d'@host/db", "host", 5432, "u", "a:b;c='d'", "db")]
    [InlineData("postgres://u:p@[::1]:6000/db", "::1", 6000, "u", "p", "db")]
    [InlineData("postgres://u:p@[2001:db8::7]/db", "2001:db8::7", 5432, "u", "p", "db")]
    [InlineData("Host=host;Port=5433;Username=user;Password='p;a=s s';Database=db", "host", 5433, "user", "p;a=s s", "db")]
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
        var settings = Settings("postgres://h/db?connect_timeout=7&application_name=my%20app&sslrootcert=/ca.pem&Command%20Timeout=9&search_path=a,b");
        Assert.Equal((7, "my app", "/ca.pem", 9, "a,b"),
            (settings.Timeout, settings.ApplicationName, settings.RootCertificate, settings.CommandTimeout, settings.SearchPath));
    }

    [Theory]
    [InlineData("postgres://u:sekret@h/db?bogus=sekret", "'bogus'")]
    [InlineData("postgres://h/db?sslmode=sekret", "'sslmode'")]
    [InlineData("postgres://h/db?sslmode=99", "'sslmode'")]
    [InlineData("postgres://h/db?connect_timeout=sekret", "'connect_timeout'")]
    [InlineData("Host=h;Password=sekret;Bogus=sekret", "'bogus'")]
    [InlineData("Host=h;Timeout=sekret", "'timeout'")]
    public void A_parameter_at_fault_is_named_and_its_value_is_not(string url, string named) => Assert.Contains(named, Refusal(url));

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
    public void Its_text_for_logs_has_no_password(string url, string text) => Assert.Equal(text, DatabaseUrl.Parse(url).ToString());

    private static NpgsqlConnectionStringBuilder Settings(string url) => Assert.IsType<DatabaseUrl.Postgres>(DatabaseUrl.Parse(url)).Settings;

    private static string Refusal(string url)
    {
        var message = Assert.Throws<FormatException>(() => DatabaseUrl.Parse(url)).Message;
        Assert.DoesNotContain("sek", message);
        return message;
    }
}
