using System.Globalization;
using Npgsql;

namespace Tally.Tests.Harness;

/// <summary>
/// A Postgres server run from this machine's binaries, in its own folder on a free port. The benchmark uses it too.
/// </summary>
public sealed class LocalPostgres : IAsyncDisposable
{
    /// <summary>
    /// The server trusts every loopback client, so the password is only there to be searched for in logs.
    /// </summary>
    public const string Password = "a-password-for-no-log";

    private readonly string binaries;
    private readonly string folder;

    private LocalPostgres(string binaries, string folder, string address, int port)
    {
        (this.binaries, this.folder) = (binaries, folder);
        Settings = new()
        {
            Host = address, Port = port, Username = "tally", Password = Password,
            Database = "postgres"
        };
    }

    public NpgsqlConnectionStringBuilder Settings { get; }

    /// <summary>The folder of its Unix socket.</summary>
    public string SocketFolder => folder;

    /// <summary>The server's first process, the parent of all its others.</summary>
    public int ProcessId =>
        int.Parse(File.ReadLines($"{folder}/data/postmaster.pid").First(), CultureInfo.InvariantCulture);

    /// <summary>The folder of initdb, where Debian installs it or else on the PATH.</summary>
    public static string? FindBinaries()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => version + "/bin")
            : [];
        // The PATH may have a link to only one of the programs; the folder must hold the server too.
        return debian.Concat(path).FirstOrDefault(at => File.Exists(at + "/initdb") && File.Exists(at + "/postgres"));
    }

    /// <param name="address">
    /// Listened on in addition to the loopback; only the test's own processes may reach it.
    /// </param>
    public static async Task<LocalPostgres> Start(string binaries, string address = "127.0.0.1")
    {
        var server = await Prepare(binaries, address);
        var folder = server.folder;
        await server.Run($"{binaries}/initdb -D {folder}/data -U tally -A trust -E UTF8 --locale=C --no-sync");
        await File.AppendAllTextAsync($"{folder}/data/pg_hba.conf", "host all all samenet trust\n");
        await server.Start();
        return server;
    }

    /// <summary>Starts a standby that follows this server.</summary>
    public async Task<LocalPostgres> StartStandby()
    {
        var standby = await BackUp("-R");
        await standby.Start();
        return standby;
    }

    /// <summary>Keeps its write-ahead log from now on, as operators do to go back to a time.</summary>
    public async Task Archive()
    {
        await Run($"mkdir {folder}/archive");
        await Execute("alter system set archive_mode = on");
        await Execute($"alter system set archive_command = 'cp %p {folder}/archive/%f'");
        await Stop("fast");
        await Start();
    }

    /// <summary>A copy of its files, made while it runs, that has not been started.</summary>
    /// <param name="options">More of pg_basebackup's.</param>
    public async Task<LocalPostgres> BackUp(string options = "")
    {
        var copy = await Prepare(binaries, Settings.Host!);
        await Run($"{binaries}/pg_basebackup -h {folder} -p {Settings.Port} -U tally -D {copy.folder}/data -c fast {options}");
        return copy;
    }

    /// <summary>Starts a copy of a server's files, and has it become what that server was at a time.</summary>
    /// <param name="archiving">The server; it has archived its log until after the time.</param>
    /// <param name="time">As the server writes times.</param>
    public async Task StartAsOf(string time, LocalPostgres archiving)
    {
        await File.AppendAllTextAsync($"{folder}/data/postgresql.auto.conf", $"""
            archive_mode = off
            restore_command = 'cp {archiving.folder}/archive/%f %p'
            recovery_target_time = '{time}'
            recovery_target_action = promote

            """);
        await Write("recovery.signal", "");
        await Start();
    }

    /// <summary>Turns a standby into a primary.</summary>
    public Task Promote() => Run($"{binaries}/pg_ctl -D {folder}/data -w promote");

    /// <summary>
    /// Sets who may connect, and how, in lines of pg_hba.conf. Its own socket stays open to everyone.
    /// </summary>
    public async Task Admit(params string[] lines)
    {
        await Write("pg_hba.conf", string.Join('\n', ["local all all trust", .. lines, ""]));
        await Run($"{binaries}/pg_ctl -D {folder}/data reload");
    }

    /// <summary>Writes a file into its data folder that only the server may read.</summary>
    public async Task Write(string name, string text)
    {
        var file = $"{folder}/data/{name}";
        await File.WriteAllTextAsync(file, text);
        await Commands.Run("chmod", "600", file);
        if (RunAs is { } user) await Commands.Run("chown", user, file);
    }

    /// <summary>Connects through its own socket, whoever else is admitted.</summary>
    public async Task Execute(string sql)
    {
        await using var source =
            NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(Settings.ConnectionString) { Host = folder, Pooling = false });
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public Task Start() => Run($"{binaries}/pg_ctl -D {folder}/data -l {folder}/log -w start -o "
        + $"\"-p {Settings.Port} -c listen_addresses={Listen} -c unix_socket_directories={folder} -c max_connections=300\"");

    private string Listen => Settings.Host == "127.0.0.1" ? Settings.Host : $"127.0.0.1,{Settings.Host}";

    /// <param name="mode">pg_ctl's smart, fast or immediate.</param>
    public async Task Stop(string mode)
    {
        await Run($"{binaries}/pg_ctl -D {folder}/data -w stop -m {mode}");
        NpgsqlConnection.ClearAllPools(); // this process's connections to it are gone too
    }

    /// <summary>Kills all its processes with SIGKILL, as the loss of its machine would.</summary>
    public Task Kill() => Run($"kill -9 {ProcessId} $(cat /proc/{ProcessId}/task/{ProcessId}/children)");

    /// <summary>What it has logged.</summary>
    public Task<string> ReadLog() => File.ReadAllTextAsync($"{folder}/log");

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Stop("immediate");
        }
        catch (InvalidOperationException)
        {
            // the test has stopped it already
        }
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<LocalPostgres> Prepare(string binaries, string address)
    {
        var folder = Directory.CreateTempSubdirectory("tally-postgres-").FullName;
        if (RunAs is { } user) await Commands.Run("chown", user, folder);
        return new(binaries, folder, address, FreePort.Next());
    }

    /// <summary>
    /// The user that runs such servers: initdb, postgres and pgbouncer refuse to run as root. Null if this process is
    /// not root's.
    /// </summary>
    internal static string? RunAs =>
        Environment.UserName != "root" ? null
        : File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres"
            : "nobody";

    private Task Run(string command) => RunAs is { } user
        ? Commands.Run("su", "-s", "/bin/sh", user, "-c", $"cd {folder} && {command}")
        : Commands.Run("/bin/sh", "-c", command);
}
