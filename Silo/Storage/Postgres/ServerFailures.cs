using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Npgsql;
using Tally.Silo.Settings;

namespace Tally.Silo.Storage.Postgres;

/// <summary>What a failure at the start means to an operator, in one line: worth another try, or not.</summary>
internal static class ServerFailures
{
    /// <summary>Whether <see cref="Explain"/> knows what to say of it.</summary>
    public static bool IsKnown(Exception exception) => exception is NpgsqlException or SocketException or TimeoutException or IOException
        or UnauthorizedAccessException or AuthenticationException or CryptographicException or FormatException or NotSupportedException or ArgumentException;

    /// <returns>A <see cref="DatabaseUnreachableException"/> where the server may answer later, else a <see cref="StartupException"/>.</returns>
    public static Exception Explain(Exception exception, DatabaseUrl.Postgres url)
    {
        // Of several servers, each has its own reason; they may differ, and one of them may come back.
        var causes = exception.InnerException is AggregateException several ? several.InnerExceptions : (IReadOnlyCollection<Exception>)[exception];
        var text = string.Join("; ", causes.Select(Describe).Distinct());
        return causes.Any(cause => MayPass(cause, url)) ? new DatabaseUnreachableException($"{Place(url)} does not answer: {text}", exception)
            : causes.Any(cause => cause is PostgresException) ? new StartupException($"Postgres refuses: {text}", exception)
            : new StartupException($"{Place(url)} cannot be used: {text}", exception);
    }

    /// <summary>For a sentence: Postgres, and where it is.</summary>
    public static string Place(DatabaseUrl.Postgres url) => $"Postgres at {string.Join(", ", url.Servers)}";

    // The driver gives no cause where none of several servers takes writes, as in the middle of a failover.
    private static bool MayPass(Exception cause, DatabaseUrl.Postgres url) => cause switch
    {
        NpgsqlException { InnerException: AuthenticationException or FileNotFoundException or DirectoryNotFoundException } => false,
        NpgsqlException { IsTransient: true } or SocketException or TimeoutException => true,
        NpgsqlException { InnerException: null } and not PostgresException => url.Servers.Count > 1 && IsNoneWritable(cause),
        _ => false,
    };

    private static bool IsNoneWritable(Exception cause) => cause.Message.StartsWith("No suitable host", StringComparison.Ordinal);

    // A server's word names the operator's mistake (a password, a database); no value of an event. A file of passwords is never quoted.
    private static string Describe(Exception cause) => cause switch
    {
        PostgresException refusal => $"{refusal.MessageText} ({refusal.SqlState})",
        FormatException => "a file that its settings name cannot be read",
        NpgsqlException { InnerException: { } inner } => $"{cause.Message.TrimEnd('.')}: {inner.Message}",
        _ when IsNoneWritable(cause) => "none of the servers takes writes",
        _ => cause.Message,
    };
}

/// <summary>The database may answer later: worth another try.</summary>
public sealed class DatabaseUnreachableException(string message, Exception inner) : Exception(message, inner);
