using System.Diagnostics;
using System.Runtime.Loader;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Storage;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Hosting;
using Tally.Tests.Cluster.Breaks;

/// <summary>
/// Runs inside the real program before its Main, if DOTNET_STARTUP_HOOKS names this assembly. It waits until the host
/// is being built and replaces a sound part with a broken one.
/// </summary>
#pragma warning disable CA1050 // the runtime looks for this name, in no namespace
internal static class StartupHook
#pragma warning restore CA1050
{
    private const string Variable = "TALLY_TEST_BREAK";

    /// <summary>The environment of a process that is to be broken in this way.</summary>
    public static Dictionary<string, string> EnvironmentOf(Break way) => new()
    {
        ["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location,
        [Variable] = $"{way}",
    };

    public static void Initialize()
    {
        // The program finds only its own assemblies, not the others that this one refers to.
        var folder = Path.GetDirectoryName(typeof(StartupHook).Assembly.Location)!;
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            File.Exists($"{folder}/{name.Name}.dll") ? context.LoadFromAssemblyPath($"{folder}/{name.Name}.dll") : null;

        DiagnosticListener.AllListeners.Subscribe(new Host(Enum.Parse<Break>(
            Environment.GetEnvironmentVariable(Variable)
                ?? throw new InvalidOperationException($"{Variable} is missing."))));
    }

    private static void Apply(Break way, IServiceCollection services)
    {
        switch (way)
        {
            case Break.AcknowledgedBeforeCommit:
                Wrap<IEventLogStorage>(services, sound => new HastyLog(sound));
                break;
            case Break.NoDedupeAfterReload:
                Wrap<IEventLogStorage>(services, sound => new ForgetfulLog(sound));
                break;
            case Break.RetriedBlindly:
                services.AddSingleton<IOutgoingGrainCallFilter, BlindRetry>();
                break;
            case Break.NothingProven:
                services.AddSingleton<ISiloLiveness, AloneLiveness>();
                break;
            case Break.SnapshotAheadOfLog:
                Wrap<IGrainStorage>(services, sound => new HastySnapshots(sound));
                break;
            case Break.LateNews:
                Wrap<IClusterMembershipService>(services, sound => new LateNews(sound));
                break;
            default: throw new ArgumentOutOfRangeException(nameof(way), way, null);
        }
    }

    private static void Wrap<T>(IServiceCollection services, Func<T, T> broken) where T : class
    {
        var sound = services.Single(service => service.ServiceType == typeof(T)
            && (!service.IsKeyedService || Snapshots.StorageName.Equals(service.ServiceKey)));
        services.Remove(sound);
        if (sound.IsKeyedService)
            services.AddKeyedSingleton(sound.ServiceKey,
                (all, key) => broken((T)sound.KeyedImplementationFactory!(all, key)));
        else if (sound.ImplementationFactory is { } make) services.AddSingleton(all => broken((T)make(all)));
        else services.AddSingleton(broken((T)sound.ImplementationInstance!));
    }

    // A host announces itself before it is built; WebApplicationFactory relies on this too.
    private sealed class Host(Break way) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener listener)
        {
            if (listener.Name == "Microsoft.Extensions.Hosting") listener.Subscribe(this);
        }

        public void OnNext(KeyValuePair<string, object?> told)
        {
            if (told is { Key: "HostBuilding", Value: IHostBuilder host })
                host.ConfigureServices((_, services) => Apply(way, services));
        }

        public void OnCompleted() { }
        public void OnError(Exception error) { }
    }
}
