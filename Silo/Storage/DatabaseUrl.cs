using System.Data.Common;
using Npgsql;

namespace Tally.Silo.Storage;

/// <summary>
/// Where the data is: <c>sqlite:PATH</c>, <c>postgres://user:password@host:port/database?sslmode=…</c>, or an Npgsql
/// connection string. Its text holds a password, so it never leaves this type but towards the driver.
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
        /// <summary>Without user and password: for logs.</summary>
        public override string ToString() => $"postgres://{HostInUrl}:{Settings.Port}/{Settings.Database}";

        private string? HostInUrl => Settings.Host?.Contains(':') == true ? $"[{Settings.Host}]" : Settings.Host;
    }

    /// <exception cref="FormatException">Says what is wrong, without quoting the value.</exception>
    public static DatabaseUrl Parse(string text)
    {
        if (text.StartsWith("sqlite:", StringComparison.OrdinalIgnoreCase))
        {
            var path = text["sqlite:".Length..];
            return path.Length > 0 && !path.Contains('\0') ? new Sqlite(path) : throw new FormatException("sqlite: needs a path after it");
        }
        if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase))
            return new Postgres(ParseUri(text));
        if (text.Contains('=') && !text.Contains("://", StringComparison.Ordinal))
            return new Postgres(ParseConnectionString(text));
        throw new FormatException(
            "expected sqlite:PATH, postgres://user:password@host:port/database, or an Npgsql connection string");
    }

    private static NpgsqlConnectionStringBuilder ParseUri(string text)
    {
        // An @ after the host's end is an unencoded password's: what follows it would be taken for the host's port, the
        // database or a parameter, and quoted as such.
        var hostEnd = text.IndexOfAny(['/', '?', '#'], text.IndexOf("://", StringComparison.Ordinal) + "://".Length);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.Fragment.Length > 0
            || hostEnd >= 0 && text.IndexOf('@', hostEnd) >= 0)
            throw new FormatException("this is no valid postgres:// URL; in its parts, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23");
        var settings = new NpgsqlConnectionStringBuilder { Host = uri.IdnHost, Port = uri.Port > 0 ? uri.Port : 5432 };
        var database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/'));
        if (database.Length > 0) settings.Database = database;

        var user = uri.UserInfo.Split(':', 2);
        if (user[0].Length > 0) settings.Username = Uri.UnescapeDataString(user[0]);
        if (user.Length > 1) settings.Password = Uri.UnescapeDataString(user[1]);

        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            Set(settings, Uri.UnescapeDataString(parts[0]), parts.Length > 1 ? Uri.UnescapeDataString(parts[1]) : "");
        }
        return settings;
    }

    // libpq's names where they differ from Npgsql's; anything else is Npgsql's own keyword.
    private static void Set(NpgsqlConnectionStringBuilder settings, string name, string value)
    {
        try
        {
            switch (name)
            {
                case "sslmode": settings.SslMode = ReadSslMode(value); break;
                case "sslrootcert": settings.RootCertificate = value; break;
                case "sslcert": settings.SslCertificate = value; break;
                case "sslkey": settings.SslKey = value; break;
                case "connect_timeout": settings["Timeout"] = value; break;
                case "application_name": settings.ApplicationName = value; break;
                case "search_path": settings.SearchPath = value; break;
                default: settings[name] = value; break;
            }
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
            // Only what looks like a name is quoted: anything else may be a part of a password.
            throw new FormatException(name.All(c => char.IsAsciiLetter(c) || c is '_' or ' ')
                ? $"the parameter '{name}' is unknown or its value cannot be read" : "one of the parameters is unknown");
        }
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
            throw new FormatException("this is no valid Npgsql connection string; it is NAME=VALUE;NAME=VALUE, with quotes around a value that holds a semicolon");
        }
        var settings = new NpgsqlConnectionStringBuilder();
        foreach (string name in parts.Keys) Set(settings, name, (string)parts[name]);
        return settings.Host is { Length: > 0 } ? settings : throw new FormatException("this Npgsql connection string names no Host");
    }

    // libpq writes verify-full where Npgsql writes VerifyFull. A number is neither's.
    private static SslMode ReadSslMode(string value) =>
        value.All(c => char.IsAsciiLetter(c) || c == '-') ? Enum.Parse<SslMode>(value.Replace("-", ""), ignoreCase: true)
        : throw new FormatException();
}
