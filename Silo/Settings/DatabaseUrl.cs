using System.Data.Common;
using Npgsql;

namespace Tally.Silo.Settings;

/// <summary>
/// Where the data is: <c>sqlite:PATH</c>, <c>postgres://user:password@host:port,host:port/database?sslmode=…</c>, or
/// an Npgsql connection string. It holds a password, so only the driver gets its text.
/// </summary>
public abstract record DatabaseUrl
{
    private DatabaseUrl() { }

    public sealed record Sqlite(string Path) : DatabaseUrl
    {
        public override string ToString() => $"sqlite:{Path}";
    }

    public sealed record Postgres(NpgsqlConnectionStringBuilder Settings) : DatabaseUrl
    {
        /// <summary>At least one.</summary>
        public IReadOnlyList<PostgresHost> Servers => PostgresHost.AllIn(Settings);

        /// <summary>Without user and password: for logs.</summary>
        public override string ToString() => $"postgres://{string.Join(',', Servers)}/{Settings.Database}";
    }

    /// <exception cref="FormatException">Says what is wrong, without quoting the value.</exception>
    public static DatabaseUrl Parse(string text)
    {
        if (text.StartsWith("sqlite:", StringComparison.OrdinalIgnoreCase))
        {
            var path = text["sqlite:".Length..];
            return path.Length > 0 && !path.Contains('\0') ? new Sqlite(path)
                : throw new FormatException("sqlite: needs a path after it");
        }
        if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase))
            return new Postgres(PostgresUri.Parse(text));
        if (text.Contains('=') && !text.Contains("://", StringComparison.Ordinal))
            return new Postgres(ParseConnectionString(text));
        throw new FormatException(
            "expected sqlite:PATH, postgres://user:password@host:port/database, or an Npgsql connection string");
    }

    private static NpgsqlConnectionStringBuilder ParseConnectionString(string text)
    {
        var parts = new DbConnectionStringBuilder();
        try
        {
            parts.ConnectionString = text;
        }
        catch (ArgumentException)
        {
            throw new FormatException(
                "this is no valid Npgsql connection string; it is NAME=VALUE;NAME=VALUE, with quotes around a value "
                    + "that holds a semicolon");
        }
        var settings = new NpgsqlConnectionStringBuilder();
        var parameters = new PostgresParameters(settings, ofUrl: false);
        // Npgsql's Host and Port are called like libpq's, but Npgsql reads a list of hosts in another way.
        foreach (string name in parts.Keys)
        {
            if (name is "host" or "port") Own(settings, name, (string)parts[name]);
            else parameters.Set(name, (string)parts[name]);
        }
        if (settings.Host is not { Length: > 0 })
            throw new FormatException("this Npgsql connection string names no Host");
        if (!PostgresHost.AllIn(settings).All(server => server.IsValid))
            throw new FormatException(
                "the Host of this Npgsql connection string is none; settings are separated by semicolons");
        parameters.Complete();
        return settings;
    }

    private static void Own(NpgsqlConnectionStringBuilder settings, string name, string value)
    {
        try
        {
            settings[name] = value;
        }
        catch (Exception exception)
            when (exception is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            throw new FormatException($"the value of '{name}' cannot be read");
        }
    }
}
