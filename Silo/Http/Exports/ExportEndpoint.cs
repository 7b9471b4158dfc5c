using System.ComponentModel;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Exports;

/// <summary>GET /api/export: the log's rows, streamed.</summary>
internal static partial class ExportEndpoint
{
    public const string Path = "/api/export";

    // Rows are sent when there are so many bytes, or after so long.
    private const int SentBytesMin = 64 * 1024;
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(1);

    // A client may pause this long before its rate counts.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public static void AddExport(this IServiceCollection services) => services.AddSingleton<RunningExports>();

    public static void MapExport(this IEndpointRouteBuilder routes) => routes.MapGet(Path, Get)
        .WithName("GetExport")
        .WithSummary("Take the log's rows away, as of one moment")
        .WithDescription(
            "Streamed in the order of fingerprint and sequence, in constant memory. If an answer breaks off, "
            + "ask again with after set to its last row's SEQUENCE:FINGERPRINT.")
        .CompressAnswers()
        .Produces(200, null, "application/x-ndjson", "text/csv", "application/vnd.apache.parquet")
        .ProducesRefusals(426);

    private static async Task<IResult> Get(
        [Description("Events that occurred at this time or later: a day, or a time as in RFC 3339.")] string? from,
        [Description("Events that occurred before this time.")] string? to,
        [Description("Events of this product.")] string? product,
        [Description("ndjson, csv or parquet.")] string? format,
        [Description("Rows after the one with this SEQUENCE:FINGERPRINT.")] string? after,
        HttpContext context, RunningExports exports, SqlStorage storage, Limits limits, ILogger<RunningExports> logger)
    {
        if (HttpProtocol.IsHttp10(context.Request.Protocol)) return Refusal.NeedsHttp11();
        if (ExportParameters.Parse(
            from, to, product, format, after, storage.Calendar, limits, out var asked) is { } refusal) return refusal;
        if (context.IsHead())
        {
            WriteHeaders(context, asked!.Format, limits);
            return Results.Empty;
        }
        using var lease = exports.TryBegin();
        if (!lease.IsAcquired) return Refusal.TooManyExports(limits.ExportsMax);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, exports.CutOff);
        await using var rows = storage.Export(asked!.Selection, ending.Token).GetAsyncEnumerator(ending.Token);
        bool hasRow;
        try
        {
            hasRow = await rows.MoveNextAsync();
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or OperationCanceledException)
        {
            return Refusal.QuestionNotAnswered();
        }

        WriteHeaders(context, asked.Format, limits);
        try
        {
            await Send(context.Response.Body, rows, hasRow, asked.Format, limits, ending.Token);
        }
        catch (Exception exception)
            when (exception is EventLogUnavailableException or OperationCanceledException or IOException)
        {
            if (exception is EventLogUnavailableException) LogBroken(logger, exception);
            if (exports.CutOff.IsCancellationRequested) LogCut(logger);
            context.Abort(); // a clean end would mean that this was all
        }
        return Results.Empty;
    }

    private static void WriteHeaders(HttpContext context, string format, Limits limits)
    {
        context.Response.ContentType = ExportFormat.ContentTypeOf(format);
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"events.{format}\"";
        context.Response.Headers.CacheControl = "no-store";
        // A client that stops reading would hold its snapshot for ever. The server's default rate gives each 64 KB some
        // four minutes.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = new MinDataRate(limits.ExportBytesPerSecondMin, Grace);
    }

    private static async Task Send(Stream body, IAsyncEnumerator<RecordedEvent> rows, bool hasRow, string formatName,
        Limits limits, CancellationToken cancellation)
    {
        await using var buffer = new ExportBuffer();
        using var format = ExportFormat.Create(formatName, buffer, limits);
        var sent = Environment.TickCount64;
        for (; hasRow; hasRow = await rows.MoveNextAsync())
        {
            await format.Write(rows.Current);
            if (buffer.Size < SentBytesMin
                && (buffer.Size == 0 || Environment.TickCount64 - sent < WaitMax.TotalMilliseconds)) continue;
            await buffer.SendTo(body, cancellation);
            sent = Environment.TickCount64;
        }
        await format.End();
        await buffer.SendTo(body, cancellation);
    }

    [LoggerMessage(LogLevel.Warning, "An export broke off")]
    private static partial void LogBroken(ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Information,
        "An export was cut off: this process stops; the client can continue after the last row")]
    private static partial void LogCut(ILogger logger);
}
