using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Exports;

/// <summary>The log's rows, for whoever takes them away.</summary>
internal static partial class ExportEndpoint
{
    public const string Path = "/api/export";

    private const int SentBytesMin = 64 * 1024; // but for what has waited for so long
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(1);

    // A client may pause so long before its rate counts.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public static void AddExport(this IServiceCollection services)
    {
        services.AddSingleton<Exports>();
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true; // nothing secret is beside what a client may choose here
            compression.MimeTypes = ["application/x-ndjson", "text/csv"]; // Parquet is compressed inside
        });
    }

    /// <summary>Compresses what this endpoint sends, and nothing of the others.</summary>
    public static void UseExportCompression(this WebApplication app) =>
        app.UseWhen(context => context.Request.Path == Path, export => export.UseResponseCompression());

    public static void MapExport(this IEndpointRouteBuilder routes) => routes.MapGet(Path, Get)
        .TakesParameters("from", "to", "product", "format", "after")
        .WithName("GetExport")
        .WithSummary("Take the log's rows away, as of one moment")
        .WithDescription("Streamed in the order of fingerprint and sequence, in constant memory. An answer that breaks off is not whole: the "
            + "rest is what comes after the cursor of its last row, SEQUENCE:FINGERPRINT.")
        .Produces(200, null, "application/x-ndjson", "text/csv", "application/vnd.apache.parquet")
        .ProducesRefusals(400, 401, 403, 422, 426, 503);

    private static async Task<IResult> Get(
        HttpContext context, Exports exports, SqlStorage storage, Limits limits, ILogger<Exports> logger)
    {
        if (HttpProtocol.IsHttp10(context.Request.Protocol)) return Refusal.NeedsHttp11();
        if (ExportParameters.Read(context.Request.Query, limits, out var asked) is { } refusal) return refusal;
        if (context.AsksHeadAlone())
        {
            Begin(context, asked!.Format, limits);
            return Results.Empty;
        }
        using var place = exports.TryBegin();
        if (place is null) return Refusal.TooManyExports(limits.ExportsMax);

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, exports.Cut);
        await using var rows = storage.Export(asked!.Selection, ending.Token).GetAsyncEnumerator(ending.Token);
        bool isThere;
        try
        {
            isThere = await rows.MoveNextAsync();
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or OperationCanceledException)
        {
            return Refusal.QuestionNotAnswered();
        }

        Begin(context, asked.Format, limits);
        try
        {
            await Send(context.Response.Body, rows, isThere, asked.Format, limits, ending.Token);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or OperationCanceledException or IOException)
        {
            if (exception is EventLogUnavailableException) LogBroken(logger, exception);
            if (exports.Cut.IsCancellationRequested) LogCut(logger);
            context.Abort(); // a clean end would say that this was all
        }
        return Results.Empty;
    }

    private static void Begin(HttpContext context, string format, Limits limits)
    {
        context.Response.ContentType = ExportFormat.ContentTypeOf(format);
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"events.{format}\"";
        context.Response.Headers.CacheControl = "no-store";
        // One that stops reading would hold its snapshot for ever. The server's own rate gives each 64 KB some four minutes.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = new MinDataRate(limits.ExportBytesPerSecondMin, Grace);
    }

    private static async Task Send(Stream body, IAsyncEnumerator<RecordedEvent> rows, bool isThere, string formatName, Limits limits, CancellationToken cancellation)
    {
        await using var buffer = new ExportBuffer();
        using var format = ExportFormat.Of(formatName, buffer, limits);
        var sent = Environment.TickCount64;
        for (; isThere; isThere = await rows.MoveNextAsync())
        {
            await format.Write(rows.Current);
            if (buffer.Size < SentBytesMin && (buffer.Size == 0 || Environment.TickCount64 - sent < WaitMax.TotalMilliseconds)) continue;
            await buffer.SendTo(body, cancellation);
            sent = Environment.TickCount64;
        }
        await format.End();
        await buffer.SendTo(body, cancellation);
    }

    [LoggerMessage(LogLevel.Warning, "An export broke off")]
    private static partial void LogBroken(ILogger logger, Exception exception);

    [LoggerMessage(LogLevel.Information, "An export was cut off, since this process stops: it goes on after its last row")]
    private static partial void LogCut(ILogger logger);
}
