using System.Globalization;
using Npgsql;

namespace Tally.Tests.Harness;

/// <summary>A Postgres of this machine's own binaries, in a folder of its own, on a free port. The benchmark uses it too.</summary>
public sealed class LocalPostgres : IAsyncDisposable
{
    /// <summary>It trusts everyone on the loopback; this is there to be looked for in logs.</summary>
    public const string Password = "a-password-for-no-log";

    private readonly string binaries;
    private readonly string folder;

    private LocalPostgres(string binaries, string folder, string address, int port)
    {
        (this.binaries, this.folder) = (binaries, folder);
        Settings = new() { Host = address, Port = port, Username = "tally", Password = Password, Database = "postgres" };
    }

    public NpgsqlConnectionStringBuilder Settings { get; }

    /// <summary>The server's first process, the parent of all of its others.</summary>
    public int ProcessId => int.Parse(File.ReadLines($"{folder}/data/postmaster.pid").First(), CultureInfo.InvariantCulture);

    /// <summary>The folder of initdb: on the PATH, or where Debian keeps it.</summary>
    public static string? FindBinaries()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => version + "/bin")
            : [];
        // A link on the PATH may point to one of many; the folder must hold the server too.
        return debian.Concat(path).FirstOrDefault(at => File.Exists(at + "/initdb") && File.Exists(at + "/postgres"));
    }

    /// <param name="binaries">See <see cref="FindBinaries"/>.</param>
    /// <param name="address">Where it listens, besides the loopback: one that only the test's own processes reach.</param>
    public static async Task<LocalPostgres> Start(string binaries, string address = "127.0.0.1")
    {
        var folder = Directory.CreateTempSubdirectory("tally-postgres-").FullName;
        if (RunAs is { } user) await Commands.Run("chown", user, folder);
        var server = new LocalPostgres(binaries, folder, address, FreePort.Next());
        await server.Run($"{binaries}/initdb -D {folder}/data -U tally -A trust -E UTF8 --locale=C --no-sync");
        await File.AppendAllTextAsync($"{folder}/data/pg_hba.conf", "host all all samenet trust\n");
        await server.Start();
        return server;
    }

    public Task Start() => Run($"{binaries}/pg_ctl -D {folder}/data -l {folder}/log -w start -o "
        + $"\"-p {Settings.Port} -c listen_addresses={Listen} -c unix_socket_directories='' -c max_connections=300\"");

    private string Listen => Settings.Host == "127.0.0.1" ? Settings.Host : $"127.0.0.1,{Settings.Host}";

    /// <param name="mode">smart, fast or immediate, as pg_ctl has it.</param>
    public async Task Stop(string mode)
    {
        await Run($"{binaries}/pg_ctl -D {folder}/data -w stop -m {mode}");
        NpgsqlConnection.ClearAllPools(); // this process' own connections to it are gone too
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Stop("immediate");
        }
        catch (InvalidOperationException)
        {
            // stopped already, by the test
        }
        Directory.Delete(folder, recursive: true);
    }

    // initdb and postgres refuse to run as root.
    private static string? RunAs =>
        Environment.UserName != "root" ? null
        : File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private Task Run(string command) => RunAs is { } user
        ? Commands.Run("su", "-s", "/bin/sh", user, "-c", $"cd {folder} && {command}")
        : Commands.Run("/bin/sh", "-c", command);
}
