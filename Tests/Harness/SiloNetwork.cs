using System.Globalization;

namespace Tally.Tests.Harness;

/// <summary>
/// A network namespace for each silo, on a separate bridge, so that tests can cut the links between them. It reaches no
/// other network. Needs root on Linux.
/// </summary>
public sealed class SiloNetwork : IAsyncDisposable
{
    // Marks the interfaces that belong to the tests; the bridge's number follows.
    private const string Prefix = "tallyf-";
    private const int NumberMax = 250;
    private const int FirstHost = 10;

    private readonly int number;
    private readonly List<(SiloPlace At, string[] Rule)> cuts = [];

    private SiloNetwork(int number) => this.number = number;

    /// <summary>This machine's address on the bridge.</summary>
    public string Gateway => $"10.199.{number}.1";

    public SiloPlace Place(int index) => new($"10.199.{number}.{FirstHost + index}", $"{Prefix}{number}-{index}");

    /// <returns>Null if namespaces cannot be made here.</returns>
    public static async Task<SiloNetwork?> Create(int places)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess || !HasPrograms()) return null;
        await RemoveLeftOvers();
        for (var number = 1; number <= NumberMax; number++)
        {
            try
            {
                await Ip($"link add {Prefix}{number} type bridge");
            }
            catch (InvalidOperationException) when (Directory.Exists($"/sys/class/net/{Prefix}{number}"))
            {
                continue; // another run has this number
            }
            catch (InvalidOperationException)
            {
                return null; // a container without the right to do this
            }
            var network = new SiloNetwork(number);
            try
            {
                await network.Build(places);
                return network;
            }
            catch
            {
                await network.DisposeAsync();
                throw;
            }
        }
        return null;
    }

    /// <summary>Drops everything between two silos, in both directions.</summary>
    public async Task Cut(SiloPlace one, SiloPlace other)
    {
        await Drop(one, $"INPUT -s {other.Address}");
        await Drop(one, $"OUTPUT -d {other.Address}");
    }

    /// <summary>Drops everything between a silo and a port of this machine.</summary>
    public async Task Cut(SiloPlace silo, int port)
    {
        await Drop(silo, $"INPUT -s {Gateway} -p tcp --sport {port}");
        await Drop(silo, $"OUTPUT -d {Gateway} -p tcp --dport {port}");
    }

    public async Task Heal()
    {
        foreach (var (at, rule) in cuts)
            await Commands.Run("ip", ["netns", "exec", at.Namespace!, "iptables", "-D", .. rule]);
        cuts.Clear();
    }

    public ValueTask DisposeAsync() => new(Remove(number));

    private async Task Build(int places)
    {
        var bridge = $"{Prefix}{number}";
        await Ip($"link set {bridge} alias {Environment.ProcessId}");
        await Ip($"addr add {Gateway}/24 dev {bridge}");
        await Ip($"link set {bridge} up");
        await Commands.Run("iptables", ["-I", .. Forwarding(number)]);
        for (var index = 0; index < places; index++)
        {
            var (address, name) = Place(index);
            await Ip($"netns add {name}");
            await Ip($"link add {bridge}-{index} type veth peer name eth0 netns {name}");
            await Ip($"link set {bridge}-{index} master {bridge} up");
            await Ip($"-n {name} addr add {address}/24 dev eth0");
            await Ip($"-n {name} link set eth0 up");
            await Ip($"-n {name} link set lo up");
        }
    }

    private async Task Drop(SiloPlace at, string match)
    {
        string[] rule = [.. match.Split(' '), "-j", "DROP"];
        await Commands.Run("ip", ["netns", "exec", at.Namespace!, "iptables", "-I", .. rule]);
        cuts.Add((at, rule));
    }

    private static Task Ip(string arguments) => Commands.Run("ip", arguments.Split(' '));

    private static bool HasPrograms() => ((string[])["ip", "iptables"]).All(program =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(folder => File.Exists($"{folder}/{program}")));

    // A bridge names its owner's process. If that is gone, it was killed before it could clean up.
    private static async Task RemoveLeftOvers()
    {
        foreach (var bridge in Directory.GetDirectories("/sys/class/net", Prefix + "*")
            .Where(at => Directory.Exists(at + "/bridge")))
        {
            var owner = (await File.ReadAllTextAsync(bridge + "/ifalias")).Trim();
            if (owner.Length > 0 && !Directory.Exists("/proc/" + owner))
                await Remove(int.Parse(Path.GetFileName(bridge)[Prefix.Length..], CultureInfo.InvariantCulture));
        }
    }

    private static async Task Remove(int number)
    {
        var names = Directory.Exists("/var/run/netns") ? Directory.GetFiles("/var/run/netns", $"{Prefix}{number}-*")
            : [];
        foreach (var name in names.Select(Path.GetFileName))
        {
            // Anything that still runs in there is a silo of a run that is gone.
            await Commands.Run("/bin/sh", "-c", $"ip netns pids {name} | xargs -r kill -9");
            await Ip($"netns del {name}");
        }
        // The rule is missing if a run was killed before it had added it.
        await Commands.Try("iptables", ["-D", .. Forwarding(number)]);
        await Ip($"link del {Prefix}{number}");
    }

    // A container engine on the same machine drops forwarded packets that it does not know, even bridged ones.
    private static string[] Forwarding(int number) =>
        ["FORWARD", "-i", $"{Prefix}{number}", "-o", $"{Prefix}{number}", "-j", "ACCEPT"];
}
