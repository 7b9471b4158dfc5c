using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Orleans.Diagnostics;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;

namespace Tally.Silo.Hosting;

/// <summary>
/// Metrics at /metrics, always. Metrics, traces and logs over OTLP if the standard variables name a collector;
/// otherwise traces are not wired and cost nothing.
/// </summary>
internal static class Telemetry
{
    private static readonly string[] Meters =
    [
        TallyMetrics.MeterName, "Microsoft.Orleans", "Npgsql",
        "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime",
    ];

    /// <exception cref="UsageException">A collector's URL cannot be read.</exception>
    public static void AddTelemetry(this WebApplicationBuilder builder, string siloName)
    {
        var exportsMetrics = Exports(builder.Configuration, "METRICS");
        var telemetry = builder.Services.AddOpenTelemetry()
            // The variables come last, so that OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word.
            .ConfigureResource(resource =>
                resource.AddService("tally", serviceInstanceId: siloName).AddEnvironmentVariableDetector())
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Meters).AddPrometheusExporter();
                if (exportsMetrics) metrics.AddOtlpExporter();
            });
        if (Exports(builder.Configuration, "LOGS"))
            telemetry.WithLogging(logs => logs.AddOtlpExporter(), options => options.IncludeFormattedMessage = true);
        if (!Exports(builder.Configuration, "TRACES")) return;

        telemetry.WithTracing(traces => traces
            // No traces of health checks and scrapes.
            .AddAspNetCoreInstrumentation(http =>
                http.Filter = context => context.Request.Path.StartsWithSegments("/api"))
            .AddSource(ActivitySources.ApplicationGrainActivitySourceName, CommitTraces.SourceName, "Npgsql")
            .AddOtlpExporter());
        builder.UseOrleans(silo => silo.AddActivityPropagation());
    }

    private static bool Exports(ConfigurationManager variables, string signal)
    {
        var named = false;
        foreach (var name in (string[])["OTEL_EXPORTER_OTLP_ENDPOINT", $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"])
        {
            if (string.IsNullOrEmpty(variables[name])) continue;
            // The SDK would silently use its default instead.
            if (!Uri.TryCreate(variables[name], UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
                throw new UsageException($"{name}: expected an http:// or https:// URL");
            named = true;
        }
        return named && variables[$"OTEL_{signal}_EXPORTER"] != "none";
    }
}
