using Tally.Tests.Harness;

namespace Tally.Tests.Containers;

/// <summary>docker run, as users call it.</summary>
[Collection<TheContainers>]
public sealed class OneContainer(ContainerImage image) : IAsyncDisposable
{
    private static readonly string[] Hardened = ["--read-only", "--cap-drop", "ALL", "--security-opt",
        "no-new-privileges"];
    private const int EventsBetween = 200;

    private readonly string volume = "tally-test-" + Guid.NewGuid().ToString("N")[..8];

    private string[] WithVolume => ["--volume", $"{volume}:/data"];

    // A value that cannot be read is refused, which shows that the variable is read.
    private static readonly (string Variable, string Unreadable, string Flag)[] Settings =
    [
        ("APP_PORT", "x", "-port=9001"), ("APP_HOST", "x", "-host=127.0.0.1"),
        ("APP_DB_URL", "x", "-dbUrl=sqlite:/data/other.db"), ("APP_DBURL", "x", ""), ("DB_URL", "x", ""),
        ("APP_CLUSTER_ID", "a b", "-clusterId=c"), ("APP_SERVICE_ID", "a b", "-serviceId=c"),
        ("APP_SILO_PORT", "x", "-siloPort=9002"), ("APP_GATEWAY_PORT", "x", "-gatewayPort=9003"),
        ("APP_ADVERTISE", "x", "-advertise=10.0.0.1"), ("APP_SILO_NAME", "a b", "-siloName=c"),
        ("APP_LOG_FORMAT", "x", "-logFormat=json"),
        ("APP_WRITE_KEYS", "short", "-writeKeys=0123456789abcdef"),
        ("APP_READ_KEYS", "short", "-readKeys=0123456789abcdeg"),
        ("APP_TRUSTED_PROXIES", "x", "-trustedProxies=10.0.0.0/8"), ("APP_BOTS", "x", "-bots=ignore"),
        ("APP_WEBHOOK_NETWORKS", "x", "-webhookNetworks=10.0.0.0/8"),
        ("APP_TRACKERS", "x", "-trackers=plausible"),
        ("APP_CORS_ORIGINS", "x", "-corsOrigins=https://site.example"),
        ("APP_FRAME_ANCESTORS", "x", "-frameAncestors=https://site.example"),
        ("APP_FINGERPRINTS", "x", "-fingerprints=server"), ("APP_TIME_ZONE", "x", "-timeZone=Asia/Kathmandu"),
    ];

    [Fact]
    public async Task Each_variable_sets_its_flag()
    {
        var name = await image.Name();
        await Parallel.ForEachAsync(Settings, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (setting, _) =>
        {
            var (exitCode, _, error) =
                await AppContainer.Run(name, ["--env", $"{setting.Variable}={setting.Unreadable}"], "migrate");
            Assert.Equal(2, exitCode);
            Assert.StartsWith($"app: {setting.Variable}: ", error);
        });
    }

    [Fact]
    public async Task Each_flag_beats_its_variable()
    {
        var (exitCode, output, error) = await AppContainer.Run(await image.Name(),
            [.. Settings.SelectMany(setting => (string[])["--env", $"{setting.Variable}={setting.Unreadable}"])],
            ["migrate", .. Settings.Select(setting => setting.Flag).Where(flag => flag.Length > 0)]);
        Assert.True(exitCode == 0, error);
        Assert.EndsWith("sqlite:/data/other.db is up to date.\n", output);
    }

    [Fact]
    public async Task Another_port_is_a_variable_or_a_flag_after_the_images_name_and_the_health_check_follows()
    {
        var name = await image.Name();
        await using (var byVariable = await AppContainer.Start(name, ["--env", "APP_PORT=9999"], port: 9999))
            Assert.Equal(200, (await byVariable.PostForm("action=view&product=k8s&fingerprint=XYZ")).Status);
        await using (var byFlag =
            await AppContainer.Start(name, ["--env", "APP_PORT=9999"],
                ["-port=9998", "-dbUrl", "sqlite:/data/other.db"], port: 9998))
            Assert.Equal(200, (await byFlag.PostForm("action=view&product=k8s&fingerprint=XYZ")).Status);
    }

    [Fact]
    public async Task Stopped_under_load_with_nothing_to_write_to_but_its_volume_it_exits_0_and_loses_nothing()
    {
        var seed = Seed.Next();
        var name = await image.Name();
        var before = new LoadShape { Prefix = "before-" };
        var after = new LoadShape { Prefix = "after-" };
        LoadHistory stopped;
        await using (var container = await AppContainer.Start(name, [.. Hardened, .. WithVolume]))
        {
            var load = Load.Start([container.Port], seed, before);
            await load.Acknowledges(EventsBetween);
            Assert.Equal(0, await container.Stop());
            await load.Abandon();
            stopped = load.History;
        }
        await using (var again = await AppContainer.Start(name, [.. Hardened, .. WithVolume]))
        {
            var load = Load.Start([again.Port], seed, after);
            await load.Acknowledges(EventsBetween);
            await load.Finish();
            var verified = await again.Execute("verify");
            Assert.True(verified.ExitCode == 0, verified.Output + verified.Error);

            Assert.Equal(0, await again.Stop());
            await using var database = await again.CopyDatabase();
            await HistoryCheck.LogHolds(stopped, database, before.Prefix);
            await HistoryCheck.LogHolds(load.History, database, after.Prefix);
        }
    }

    [Fact]
    public async Task Any_user_can_run_it()
    {
        await using var container =
            await AppContainer.Start(await image.Name(), [.. Hardened, .. WithVolume, "--user", "12345:54321"]);
        Assert.Equal(200, (await container.PostForm("action=view&product=k8s&fingerprint=XYZ")).Status);
    }

    [Fact]
    public async Task Data_that_cannot_be_written_is_one_line()
    {
        var (exitCode, output, error) = await AppContainer.Run(await image.Name(), Hardened);
        Assert.Equal((1, ""), (exitCode, output));
        Assert.StartsWith("app: /data/tally.db cannot be written: ", error);
        Assert.Equal(error.Length - 1, error.IndexOf('\n'));
    }

    public async ValueTask DisposeAsync() => await image.Forget(volume);
}
