using System.Diagnostics;
using System.Text;
using Npgsql;

namespace Tally.Tests.Harness;

/// <summary>The real PgBouncer in front of a test's Postgres.</summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private readonly Process process;
    private readonly string folder;
    private readonly NpgsqlConnectionStringBuilder server;
    private readonly StringBuilder output = new();

    private PgBouncer(Process process, string folder, NpgsqlConnectionStringBuilder server, int port)
    {
        (this.process, this.folder, this.server, Port) = (process, folder, server, port);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private int Port { get; }

    private string Output { get { lock (output) return output.ToString(); } }

    /// <summary>The -dbUrl of the same database through the pooler.</summary>
    public string Url => $"postgres://{server.Username}:{LocalPostgres.Password}@127.0.0.1:{Port}/{server.Database}";

    /// <summary>Starts it and waits until it listens. Skips the test if there is no PgBouncer.</summary>
    /// <param name="url">The database behind it.</param>
    /// <param name="mode">session, transaction or statement.</param>
    /// <param name="settings">More lines of its configuration.</param>
    public static async Task<PgBouncer> Start(string url, string mode, params string[] settings)
    {
        var binary = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
            .Select(at => Path.Combine(at, "pgbouncer")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(binary is null,
            "A connection pooler needs PgBouncer: install it (Debian: apt-get install pgbouncer).");
        var folder = Directory.CreateTempSubdirectory("tally-pgbouncer-").FullName;
        var (server, port, file) = (new NpgsqlConnectionStringBuilder(url), FreePort.Next(),
            Path.Combine(folder, "pgbouncer.ini"));
        await File.WriteAllLinesAsync(file,
        [
            "[databases]",
            $"* = host={server.Host} port={server.Port} user={server.Username} password={server.Password}",
            "[pgbouncer]", "listen_addr = 127.0.0.1", $"listen_port = {port}", "unix_socket_dir =", "auth_type = any",
            $"pool_mode = {mode}", "default_pool_size = 60", "max_client_conn = 300", .. settings,
        ]);
        if (LocalPostgres.RunAs is { } user) await Commands.Run("chown", "-R", user, folder);
        string[] line = LocalPostgres.RunAs is { } as_ ? ["su", "-s", "/bin/sh", as_, "-c", $"exec {binary} {file}"]
            : [binary, file];
        var pooler = new PgBouncer(
            Process.Start(
                new ProcessStartInfo(line[0], line[1..])
                {
                    RedirectStandardOutput = true,
                    RedirectStandardError = true
                })!, folder, server, port);
        try
        {
            await Eventually.True(async () =>
            {
                Assert.False(pooler.process.HasExited, $"PgBouncer ended: {pooler.Output}");
                using var connection = await HttpWire.Connect(port);
                return connection is not null;
            }, () => $"PgBouncer does not listen: {pooler.Output}", seconds: 60);
        }
        catch
        {
            await pooler.DisposeAsync();
            throw;
        }
        return pooler;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (output) output.AppendLine(line);
    }
}
