using Orleans.Configuration;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Http;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Pages;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Silo.Webhooks;

namespace Tally.Silo.Hosting;

/// <summary>The whole service, as the process and the tests start it.</summary>
internal static class TallyHost
{
    /// <summary>
    /// Longer than the drain and the requests' own deadlines together, so that every accepted request is answered.
    /// </summary>
    public static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(30);

    public static void AddTally(this WebApplicationBuilder builder, AppSettings settings, Limits limits,
        Database database)
    {
        builder.Logging.AddTallyLogging(settings.LogFormat);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = limits.ClientConnectionsMax;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(limits.HeadSecondsMax);
            kestrel.Listen(settings.Host, settings.Port, listen => listen.ExplainUnreadRequests());
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeMax);

        builder.Services.AddSingleton(limits);
        builder.Services.AddSingleton(database.Storage);
        builder.Services.AddSingleton<IEventLogStorage>(database.Storage);
        builder.Services.AddSingleton(database.Storage.Calendar);
        builder.Services.AddSingleton(database.Storage.Rules);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<GroupCommit>();
        builder.Services.AddSingleton<HistoryLoader>();
        builder.Services.AddSingleton<History>();
        builder.Services.AddSingleton<KnownFingerprints>();
        builder.Services.AddSingleton<Snapshots>();
        builder.Services.AddSingleton<ResidentFingerprints>();
        builder.Services.AddSingleton<FingerprintGrains>();
        builder.Services.AddSingleton<Erasures>();
        builder.Services.AddSingleton<FingerprintServices>();
        builder.Services.AddSingleton<Newcomers>();
        builder.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, EventLogLifecycle>();
        builder.Services.AddHostedService<KnownFingerprintsFill>();
        builder.Services.AddHostedService<IdleFingerprints>();
        builder.Services.AddHostedService<RollupMerge>();
        builder.Services.AddHostedService<FunnelFolding>();
        builder.Services.AddHostedService<RuleRefresh>();
        builder.Services.AddHostedService<RuleClock>();
        builder.Services.AddSingleton(settings.Retention);
        builder.Services.AddHostedService<Retention>();
        builder.Services.AddWebhooks(settings);
        builder.Services.AddFrontEnd(settings, limits);
        builder.Services.AddPages(settings);
        builder.Services.AddHostedService<Draining>();
        builder.AddTelemetry(settings.Cluster.SiloName);
        builder.UseOrleans(silo =>
        {
            silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = FrontEnd.Deadline);
            if (settings.DbUrl is DatabaseUrl.Postgres postgres)
                silo.UseTallyCluster(settings.Cluster, postgres.Servers);
            else silo.UseLoneSilo(settings.Cluster);
            database.ConfigureSilo(silo);
        });
    }

    public static void UseTally(this WebApplication app, AppSettings settings)
    {
        app.UseDraining();
        app.MapFrontEnd(settings);
        app.MapPages();
    }
}
