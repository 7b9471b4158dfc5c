using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Npgsql;
using Tally.Silo.Settings;

namespace Tally.Silo.Storage.Postgres;

/// <summary>Explains a failure at the start to an operator in one line, and whether to try again.</summary>
internal static class ServerFailures
{
    /// <summary>Whether <see cref="Explain"/> can explain it.</summary>
    public static bool IsKnown(Exception exception) =>
        exception is NpgsqlException or SocketException or TimeoutException or IOException
        or UnauthorizedAccessException or AuthenticationException or CryptographicException or FormatException
        or NotSupportedException or ArgumentException;

    /// <returns>
    /// A <see cref="DatabaseUnreachableException"/> if the server may answer later, else a <see
    /// cref="StartupException"/>.
    /// </returns>
    public static Exception Explain(Exception exception, DatabaseUrl.Postgres url)
    {
        // Each of several servers may fail for another reason, and one of them may come back.
        var causes = exception.InnerException is AggregateException several ? several.InnerExceptions
            : (IReadOnlyCollection<Exception>)[exception];
        var text = string.Join("; ", causes.Select(Describe).Distinct());
        return causes.Any(cause => MayPass(cause, url))
            ? new DatabaseUnreachableException($"{Place(url)} does not answer: {text}", exception)
            : causes.Any(cause => cause is PostgresException)
                ? new StartupException($"Postgres refuses: {text}", exception)
            : new StartupException($"{Place(url)} cannot be used: {text}", exception);
    }

    /// <summary>Postgres and its address, as part of a sentence.</summary>
    public static string Place(DatabaseUrl.Postgres url) => $"Postgres at {string.Join(", ", url.Servers)}";

    // If none of several servers accepts writes, as during a failover, the driver gives no cause.
    private static bool MayPass(Exception cause, DatabaseUrl.Postgres url) => cause switch
    {
        NpgsqlException
        {
            InnerException: AuthenticationException or FileNotFoundException
            or DirectoryNotFoundException
        } => false,
        NpgsqlException { IsTransient: true } or SocketException or TimeoutException => true,
        NpgsqlException { InnerException: null } and not PostgresException =>
            url.Servers.Count > 1 && IsNoneWritable(cause),
        _ => false,
    };

    private static bool IsNoneWritable(Exception cause) =>
        cause.Message.StartsWith("No suitable host", StringComparison.Ordinal);

    // A server's message names the operator's mistake (a password, a database) and no value of an event. A password
    // file is never quoted.
    private static string Describe(Exception cause) => cause switch
    {
        PostgresException refusal => $"{refusal.MessageText} ({refusal.SqlState})",
        FormatException => "a file that its settings name cannot be read",
        NpgsqlException { InnerException: { } inner } => $"{cause.Message.TrimEnd('.')}: {inner.Message}",
        _ when IsNoneWritable(cause) => "none of the servers accepts writes",
        _ => cause.Message,
    };
}

/// <summary>The database does not answer now; it may later.</summary>
public sealed class DatabaseUnreachableException(string message, Exception inner) : Exception(message, inner);
