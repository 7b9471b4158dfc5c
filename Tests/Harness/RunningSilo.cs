using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.CommandLine;
using Tally.Silo.Hosting;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Tests.Harness;

/// <summary>The whole program inside the test's process, for what HTTP does not reach.</summary>
internal sealed class RunningSilo : IServing, IAsyncDisposable
{
    private readonly Database database;
    private readonly WebApplication app;

    private RunningSilo(Database database, WebApplication app, HttpClient http) =>
        (this.database, this.app, Http) = (database, app, http);

    public Database Database => database;
    public HttpClient Http { get; }
    public History History => app.Services.GetRequiredService<History>();
    public Snapshots Snapshots => app.Services.GetRequiredService<Snapshots>();
    public ResidentFingerprints Residents => app.Services.GetRequiredService<ResidentFingerprints>();
    public Newcomers Newcomers => app.Services.GetRequiredService<Newcomers>();
    public KnownFingerprints Known => app.Services.GetRequiredService<KnownFingerprints>();
    public IGrainFactory Grains => app.Services.GetRequiredService<IGrainFactory>();

    /// <param name="calendar">By whose days they are counted; null for UTC's.</param>
    /// <param name="dimensions">What events are counted by; null for nothing.</param>
    /// <param name="webhookNetworks">What webhooks may reach, by default the tests' receivers; null for none.</param>
    /// <param name="configure">Changes settings of Orleans that the program leaves at their defaults.</param>
    public static async Task<RunningSilo> Start(TestDatabase at, Limits limits,
        Action<IServiceCollection>? configure = null, string[]? dimensions = null,
        Calendar? calendar = null, string? webhookNetworks = "127.0.0.1")
    {
        limits.DrainMilliseconds = 0; // no load balancer has to notice that it stops
        var database = await at.OpenPrepared(limits);
        var builder = WebApplication.CreateSlimBuilder();
        var port = FreePort.Next();
        var settings = new AppSettings
        {
            Port = port,
            Host = IPAddress.Loopback,
            DbUrl = DatabaseUrl.Parse(at.Url),
            Cluster = new("tally", "tally", SiloName: "test"),
            Dimensions = dimensions ?? [],
            Calendar = calendar ?? Calendar.Utc,
            WebhookNetworks = FlagValues.ParseNetworks(webhookNetworks ?? FlagValues.None),
        };
        await DatabaseStart.Count(database, settings, limits);
        builder.AddTally(settings, limits, database);
        builder.Logging.ClearProviders();
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseTally(settings);
        await app.StartAsync();
        return new(database, app, new() { BaseAddress = new($"http://127.0.0.1:{port}") });
    }

    /// <summary>Waits until it knows which fingerprints are new: until then all are loaded.</summary>
    public Task KnowNewOnes() => Eventually.True(() => Task.FromResult(Known.IsNew("new", out _)),
        "The log's fingerprints are not read.");

    /// <summary>How many grains of fingerprints it has.</summary>
    public async Task<int> CountGrains()
    {
        var grains = await Grains.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics();
        return grains.Where(kind => kind.GrainType.Contains(nameof(FingerprintGrain)))
            .Sum(kind => kind.ActivationCount);
    }

    public IFingerprintGrain Grain(string fingerprint) =>
        Grains.GetGrain<IFingerprintGrain>(FingerprintKey.For(fingerprint));

    /// <summary>Records as the front end does: without a message if the fingerprint is in memory.</summary>
    public async Task<RecordResult[]> RecordNearest(string fingerprint, Event[] events) =>
        (Residents.Find(fingerprint) ?? Newcomers.TryEnter(fingerprint, events.Length)) is not { } here
            ? await Grain(fingerprint).RecordAll(events)
        : events is [var only] ? [await here.Record(only)]
        : await here.RecordAll(events);

    public async Task<ViewResult> ViewNearest(string fingerprint) =>
        await (Residents.Find(fingerprint)?.View() ?? Grain(fingerprint).View());

    public GrainId GrainId(string fingerprint) => Grain(fingerprint).GetGrainId();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        await database.DisposeAsync();
    }
}
