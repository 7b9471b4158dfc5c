using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>
/// Connecting to Postgres through a socket, with a password from a file or the environment, and with TLS.
/// </summary>
public sealed class Connecting
{
    private const string Password = "s3kret-of-this-test";

    [Fact]
    public async Task By_its_sockets_folder()
    {
        await using var postgres = await PostgresServer.StartOwn();
        foreach (var url in (string[])
                 [
                     $"postgres://tally@{Uri.EscapeDataString(postgres.SocketFolder)}:{postgres.Settings.Port}/postgres",
                     $"postgres://tally@/postgres?host={postgres.SocketFolder}&port={postgres.Settings.Port}",
                     $"postgres:///postgres?user=tally&host=127.0.0.1,{Uri.EscapeDataString(postgres.SocketFolder)}&port={FreePort.Next()},{postgres.Settings.Port}",
                 ])
            await Opens(url);
    }

    [Fact]
    public async Task With_a_password_of_a_file_or_the_environment()
    {
        await using var postgres = await PostgresServer.StartOwn();
        await postgres.Execute($"set password_encryption = 'scram-sha-256'; alter role tally password '{Password}'");
        await postgres.Admit("host all all 127.0.0.1/32 scram-sha-256");
        var url = $"postgres://tally@127.0.0.1:{postgres.Settings.Port}/postgres";
        var passfile = Path.GetTempFileName();
        await File.WriteAllTextAsync(passfile, $"127.0.0.1:{postgres.Settings.Port}:*:tally:{Password}\n");

        Assert.Equal(0, (await AppProcess.Run(["migrate", "-dbUrl", $"{url}?passfile={passfile}"])).ExitCode);
        Assert.Equal(0,
            (await AppProcess.Run(["migrate", "-dbUrl", url], new() { ["PGPASSWORD"] = Password })).ExitCode);
        Assert.Equal(0,
            (await AppProcess.Run(["migrate", "-dbUrl", url], new() { ["PGPASSFILE"] = passfile })).ExitCode);
        File.Delete(passfile);
        foreach (var (wrong, reason) in ((string, string)[])
                 [
                     (url, "password"), (url.Replace("tally@", "tally:wrong-secret@"), "28P01"),
                     ($"{url}?passfile=/no/such/file", "/no/such/file"),
                 ])
        {
            var (exitCode, output, error) = await AppProcess.Run(["migrate", "-dbUrl", wrong]);
            Assert.Equal((1, ""), (exitCode, output));
            Assert.Contains(reason, error);
            Assert.DoesNotContain("wrong-secret", error);
            Assert.Equal(error.Length - 1, error.IndexOf('\n'));
        }
    }

    [Fact]
    public async Task With_tls_whose_channel_is_bound()
    {
        using var authority = new SiloAuthority();
        using var others = new SiloAuthority();
        await using var postgres = await PostgresServer.StartOwn();
        var (certificate, key) = authority.Issue("server");
        await postgres.Write("server.crt", await File.ReadAllTextAsync(certificate));
        await postgres.Write("server.key", await File.ReadAllTextAsync(key));
        await postgres.Execute("alter system set ssl = on");
        await postgres.Execute($"set password_encryption = 'scram-sha-256'; alter role tally password '{Password}'");
        await postgres.Admit("host all all 127.0.0.1/32 scram-sha-256");
        await postgres.Stop("fast");
        await postgres.Start();
        var url = $"postgres://tally:{Password}@127.0.0.1:{postgres.Settings.Port}/postgres";

        await Opens($"{url}?channel_binding=require&sslmode=require");
        await Opens(
            $"{url}?channel_binding=require&sslmode=verify-full&sslrootcert={authority.Ca}&require_auth=scram-sha-256");
        await Opens($"{url}?sslmode=require&sslrootcert={authority.Ca}");
        await Refused($"{url}?sslmode=verify-ca&sslrootcert={others.Ca}", "certificate");
        // as in libpq, giving a root certificate turns verification on
        await Refused($"{url}?sslmode=require&sslrootcert={others.Ca}", "certificate");
        await Refused($"{url}?sslmode=verify-ca&sslrootcert=/no/such/file", "/no/such/file");
        await Refused($"{url}?sslmode=require&sslcert=/no/such/file", "/no/such/file");
        // These servers bind no channel: the first asks for no password, the second does not encrypt.
        await postgres.Admit("hostssl all all 127.0.0.1/32 trust");
        await Refused($"{url}?channel_binding=require&sslmode=require", "authentication method is not allowed");
        await postgres.Admit("hostnossl all all 127.0.0.1/32 scram-sha-256");
        await Refused($"{url}?channel_binding=require", "");
    }

    private static async Task Opens(string url)
    {
        await using var database = Database.For(DatabaseUrl.Parse(url), new());
        await database.Prepare(CancellationToken.None);
        await database.Storage.CheckWritable(CancellationToken.None);
    }

    private static async Task Refused(string url, string reason)
    {
        await using var database = Database.For(DatabaseUrl.Parse(url), new());
        var refusal = await Assert.ThrowsAsync<StartupException>(() => database.Prepare(CancellationToken.None));
        Assert.Contains(reason, refusal.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Password, refusal.Message);
    }
}
