using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>
/// A mistake in a flag or a variable gives one clear line and exit code 2, and never shows the value, which may be a
/// password.
/// </summary>
public sealed class Mistakes
{
    private const string Secret = "sekret";

    [Theory]
    [InlineData("-nope: there is no such flag", "-nope", "1")]
    [InlineData("-nope: there is no such flag", "verify", "-nope=1")]
    [InlineData("-dburl: there is no such flag", "-dburl=postgres://u:sekret@h/db")]
    [InlineData("an argument that is neither", "postgres://u:sekret@h/db")]
    [InlineData("an argument that is neither", "-port", "1", "sekret")]
    [InlineData("an argument that is neither", "migrat")]
    [InlineData("-port", "-port")]
    [InlineData("-port: expected a port from 1 to 65535", "-port", "x")]
    [InlineData("-port: expected a port from 1 to 65535", "-port=0")]
    [InlineData("-port: expected a port from 1 to 65535", "--port=65536")]
    [InlineData("-port: expected a port from 1 to 65535", "-port=-1")]
    [InlineData("-port: expected a port from 1 to 65535", "-port= 80")]
    [InlineData("-port", "-port=")]
    [InlineData("-port: expected a port from 1 to 65535", "health", "-port=99999999999")]
    [InlineData("-port", "-port=1", "-port=2")]
    [InlineData("-host: expected an IP address", "-host", "example.org")]
    [InlineData("-dbUrl: expected sqlite:PATH", "-dbUrl", "sekret")]
    [InlineData("-dbUrl: expected sqlite:PATH", "-dbUrl", "mysql://u:sekret@h/db")]
    [InlineData("-dbUrl: sqlite: needs a path", "-dbUrl", "sqlite:")]
    [InlineData("-dbUrl: this is no valid postgres:// URL", "migrate", "-dbUrl=postgres://u:sek/ret@h/db")]
    [InlineData("-dbUrl: the parameter 'bogus' is unknown", "verify", "-dbUrl=postgres://u:sekret@h/db?bogus=sekret")]
    [InlineData("-dbUrl: the parameter 'bogus' is unknown", "-dbUrl=Host=h;Password=sekret;Bogus=sekret")]
    [InlineData("-clusterId: expected 1 to 100 letters", "-clusterId=my cluster")]
    [InlineData("-clusterId: expected 1 to 100 letters", "-clusterId=ä")]
    [InlineData("-serviceId: expected 1 to 100 letters", "verify", "-serviceId=a'b")]
    [InlineData("-siloName: expected 1 to 100 letters", "-siloName", "a/sekret")]
    [InlineData("-siloPort: expected a port from 1 to 65535", "-siloPort=65536")]
    [InlineData("-siloPort: expected a port from 1 to 65535", "-siloPort=-1")]
    [InlineData("-gatewayPort: expected a port from 1 to 65535", "-gatewayPort", "x")]
    [InlineData("-advertise: expected an IP address", "-advertise=tally.example")]
    [InlineData("-advertise: expected an IP address", "-advertise=0.0.0.0")]
    [InlineData("-advertise: expected an IP address", "-advertise=::")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=sekret.example")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins",
        "https://a.example,https://sekret.example/path")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=https://a.example/")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=https://user:sekret@a.example")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=https://*.sekret.example")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=*,https://a.example")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=https://a.example,")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=ftp://sekret.example")]
    [InlineData("-corsOrigins: expected an origin such as", "-corsOrigins=null")]
    [InlineData("-trackers: expected all, none, or some of plausible", "-trackers=plausible,sekret")]
    [InlineData("-trackers: expected all, none, or some of plausible", "-trackers=plausible,none")]
    [InlineData("-trackers: expected all, none, or some of plausible", "-trackers=plausible,")]
    [InlineData("-fingerprints: expected client or server", "-fingerprints=sekret")]
    [InlineData("-fingerprints: expected client or server", "-fingerprints=Server")]
    [InlineData("-writeKeys: a key has 16 to 128 letters", "-writeKeys=sekret")]
    [InlineData("-writeKeys: a key has 16 to 128 letters", "-writeKeys",
        "sekret-0123456789abcdef,sekret-other-0123456789")]
    [InlineData("-writeKeys: a key is given twice", "-writeKeys",
        "sekret-0123456789abcdef sekret-0123456789abcdef;products=a")]
    [InlineData("-writeKeys: expected a key, then at most", "-writeKeys=sekret-0123456789abcdef;product=a")]
    [InlineData("-writeKeys: expected a key, then at most", "-writeKeys=sekret-0123456789abcdef;products=a;products=b")]
    [InlineData("-writeKeys: expected names", "-writeKeys=sekret-0123456789abcdef;products=")]
    [InlineData("-writeKeys: expected names", "-writeKeys=sekret-0123456789abcdef;products=a,")]
    [InlineData("-writeKeys: expected an origin", "-writeKeys=sekret-0123456789abcdef;origins=sekret.example")]
    [InlineData("-writeKeys: expected an origin", "-writeKeys=sekret-0123456789abcdef;origins=https://sekret.example/")]
    [InlineData("-writeKeys: expected at least one key", "-writeKeys= ")]
    [InlineData("-trustedProxies: expected IP addresses", "-trustedProxies=proxy.sekret.example")]
    [InlineData("-trustedProxies: expected IP addresses", "-trustedProxies=10.0.0.1,")]
    [InlineData("-bots: expected count or ignore", "-bots=sekret")]
    [InlineData("-retention: expected days or hours, such as 90d or 36h", "-retention=23h")]
    [InlineData("-retention: expected days or hours, such as 90d or 36h", "-retention=90")]
    [InlineData("-retention: expected days or hours, such as 90d or 36h", "-retention=-1d")]
    [InlineData("-retention: expected days or hours, such as 90d or 36h", "-retention=2147483648d")]
    [InlineData("-forgetAfter: expected days or hours, such as 90d or 36h", "-forgetAfter=36501d")]
    [InlineData("-forgetAfter: expected days or hours, such as 90d or 36h", "-forgetAfter=d")]
    [InlineData("-eraseKeys: a key has 16 to 128 letters", "-eraseKeys=sekret-0123456789abcdef;products=a")]
    [InlineData("-readKeys: a key has 16 to 128 letters", "-readKeys=sekret-0123456789abcdef;products=a")]
    public async Task A_mistake_in_a_flag_is_one_line(string line, params string[] arguments) =>
        AssertMistake(line, await AppProcess.Run(arguments));

    [Theory]
    [InlineData("APP_PORT: expected a port", "APP_PORT", "sekret")]
    [InlineData("APP_HOST: expected an IP address", "APP_HOST", "sekret")]
    [InlineData("APP_DB_URL: expected sqlite:PATH", "APP_DB_URL", "sekret")]
    [InlineData("APP_DBURL: expected sqlite:PATH", "APP_DBURL", "sekret")]
    [InlineData("DB_URL: expected sqlite:PATH", "DB_URL", "sekret")]
    [InlineData("APP_DB_URL: the parameter 'bogus' is unknown", "APP_DB_URL", "postgres://u:sekret@h/db?bogus=sekret")]
    [InlineData("APP_PORT_FILE: the file cannot be read", "APP_PORT_FILE", "/no/such/file")]
    [InlineData("APP_DB_URL_FILE: the file cannot be read", "APP_DB_URL_FILE", "/")]
    [InlineData("APP_DB_URL_FILE: the file cannot be read", "APP_DB_URL_FILE", "/dev/zero")]
    [InlineData("APP_DB_URL_FILE: the file cannot be read", "APP_DB_URL_FILE", "/proc/self/mem")]
    [InlineData("APP_DB_URL_FILE: the file cannot be read", "APP_DB_URL_FILE", "/etc/passwd/x")]
    [InlineData("APP_CLUSTER_ID: expected 1 to 100 letters", "APP_CLUSTER_ID", "a b")]
    [InlineData("APP_SERVICE_ID: expected 1 to 100 letters", "APP_SERVICE_ID", "a b")]
    [InlineData("APP_SILO_NAME: expected 1 to 100 letters", "APP_SILO_NAME", "a b")]
    [InlineData("APP_SILO_PORT: expected a port", "APP_SILO_PORT", "sekret")]
    [InlineData("APP_GATEWAY_PORT: expected a port", "APP_GATEWAY_PORT", "65536")]
    [InlineData("APP_CORS_ORIGINS: expected an origin such as", "APP_CORS_ORIGINS", "sekret")]
    [InlineData("APP_FINGERPRINTS: expected client or server", "APP_FINGERPRINTS", "sekret")]
    [InlineData("APP_ADVERTISE: expected an IP address", "APP_ADVERTISE", "sekret")]
    [InlineData("APP_WRITE_KEYS: a key has 16 to 128 letters", "APP_WRITE_KEYS", "sekret")]
    [InlineData("APP_TRUSTED_PROXIES: expected IP addresses", "APP_TRUSTED_PROXIES", "10.0.0.0/33")]
    [InlineData("APP_BOTS: expected count or ignore", "APP_BOTS", "Ignore")]
    [InlineData("Limits: The field AddressRequestsPerSecondMax must be between 0 and",
        "Limits__AddressRequestsPerSecondMax", "-1")]
    [InlineData("APP_READ_KEYS_FILE: the file cannot be read", "APP_READ_KEYS_FILE", "/no/such/file")]
    [InlineData("Limits: The field QueueEventsMax must be between 1 and 1048576", "Limits__QueueEventsMax", "0")]
    [InlineData("Limits: The field QueueEventsMax must be between 1 and 1048576", "limits__queueeventsmax", "1048577")]
    [InlineData("Limits: Failed to convert configuration value '16k' at 'Limits:EventBodyBytesMax' to type 'System.Int32'", "Limits__EventBodyBytesMax", "16k")]
    [InlineData("properties were not found on the instance of Tally.Contracts.Limits: 'Bogus'", "Limits__Bogus", "1")]
    public async Task A_mistake_in_a_variable_is_one_line(string line, string variable, string value) =>
        AssertMistake(line, await AppProcess.Run([], new() { [variable] = value }));

    [Theory]
    [InlineData("verify", "postgres://u:sekret@127.0.0.1:1/db")]
    [InlineData("verify", "postgres://u:sekret@no-such-host.invalid/db?sslmode=require")]
    [InlineData("verify", "Host=127.0.0.1;Port=1;Username=u;Password=sekret")]
    [InlineData("verify", "Host=127.0.0.1;Port=1;Password=sekret;Minimum Pool Size=500")]
    [InlineData("migrate", "Host=127.0.0.1;Port=1;Password=sekret;Minimum Pool Size=500")]
    public async Task A_database_that_cannot_be_used_is_one_line_without_the_password(string command, string url)
    {
        var (exitCode, output, error) = await AppProcess.Run([command], new() { ["APP_DB_URL"] = url });
        Assert.Equal((1, ""), (exitCode, output));
        AssertOneLine(error);
    }

    [Theory]
    [InlineData("migrate -dbUrl sqlite:x.db"), InlineData("verify -dbUrl sqlite:x.db"),
        InlineData("-dbUrl sqlite:x.db -host 127.0.0.1"), InlineData("health -port 1")]
    [InlineData("import x"), InlineData("export x.csv")]
    public async Task A_folder_that_has_vanished_is_one_line(string arguments)
    {
        var folder = Directory.CreateTempSubdirectory("tally-mistakes-").FullName;
        var (exitCode, output) =
            await Commands.Try("sh", "-c", $"cd {folder} && rmdir {folder} && exec {AppProcess.Binary} {arguments}");
        Assert.Equal(1, exitCode);
        Assert.StartsWith("app: ", output);
        Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task An_address_that_cannot_be_listened_on_is_one_line()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var (exitCode, output, error) = await AppProcess.Run(
            ["-host", "127.0.0.1", "-port", $"{((System.Net.IPEndPoint)taken.LocalEndpoint).Port}", "-dbUrl",
                "sqlite:/nowhere/tally.db"]);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("app: cannot listen on 127.0.0.1:", error);
        AssertOneLine(error);
    }

    private static void AssertMistake(string line, (int ExitCode, string Output, string Error) run)
    {
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains(line, run.Error);
        Assert.EndsWith(" See app -help.\n", run.Error);
        AssertOneLine(run.Error);
    }

    private static void AssertOneLine(string error)
    {
        Assert.StartsWith("app: ", error);
        Assert.Equal(error.Length - 1, error.IndexOf('\n'));
        Assert.DoesNotContain(Secret, error);
        Assert.DoesNotContain("Exception", error);
    }
}
