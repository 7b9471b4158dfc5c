using Microsoft.Extensions.Logging;

namespace Tally.Client;

internal static partial class ClientLog
{
    [LoggerMessage(1, LogLevel.Warning,
        "Tally takes no events at {Address}: {Problem}. They wait and are sent again.")]
    public static partial void Failing(ILogger logger, string address, string problem);

    [LoggerMessage(2, LogLevel.Debug, "Try {Failed} failed: {Problem}. The next follows in {Delay}.")]
    public static partial void Retrying(ILogger logger, int failed, string problem, TimeSpan delay);

    [LoggerMessage(3, LogLevel.Information, "Tally takes events again.")]
    public static partial void Recovered(ILogger logger);

    [LoggerMessage(4, LogLevel.Warning,
        "{Count} events are refused for good, the first with {Status} {Reason}: {Detail}")]
    public static partial void Refused(ILogger logger, int count, int status, string reason, string detail);

    [LoggerMessage(5, LogLevel.Warning, "Too many events wait: {Dropped} have been dropped so far.")]
    public static partial void Dropped(ILogger logger, long dropped);

    [LoggerMessage(6, LogLevel.Warning, "The client ends with {Count} events that were not sent. They are lost.")]
    public static partial void Lost(ILogger logger, long count);

    [LoggerMessage(7, LogLevel.Information,
        "The client ends with {Count} events that were not sent. Their folder keeps them for the next start.")]
    public static partial void Left(ILogger logger, long count);

    [LoggerMessage(8, LogLevel.Error, "The folder {Folder} cannot be used, so events wait in memory only.")]
    public static partial void NoQueueFolder(ILogger logger, string folder, Exception exception);

    [LoggerMessage(9, LogLevel.Error, "An event cannot be written to {Folder}: it waits in memory only.")]
    public static partial void NotKept(ILogger logger, string folder, Exception exception);

    [LoggerMessage(10, LogLevel.Error, "The events in {Path} cannot be read. They stay there.")]
    public static partial void NotRead(ILogger logger, string path, Exception exception);

    [LoggerMessage(11, LogLevel.Warning,
        "{Path} cannot be removed. The next start sends its events again; they count once.")]
    public static partial void NotRemoved(ILogger logger, string path, Exception exception);

    [LoggerMessage(12, LogLevel.Error, "The callback Refused has thrown an exception.")]
    public static partial void CallbackFailed(ILogger logger, Exception exception);
}
