using System.Collections.Immutable;
using System.Net;
using Tally.Grains.Placement;

namespace Tally.Tests.Pure.Placement;

/// <summary>
/// Silos that learn of the membership at any time, may miss versions, pause, leave, and die without knowing it, and
/// whose steps follow one another in any order. Their divisions are the real ones; the table, the log and the rest are
/// models.
/// </summary>
internal sealed class SimulatedCluster(Random random)
{
    private const int Silos = 3;
    private const int Fingerprints = 2;
    private const long Takeover = 1_000;

    private readonly List<ClusterMembershipSnapshot> table =
        [new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, MembershipVersion.MinValue), Version([], 1)];
    private readonly List<Silo> silos = [];
    private readonly long[] recorded = new long[Fingerprints]; // the log's heads
    private readonly long[] acknowledged = new long[Fingerprints];
    private long now = 10_000;
    private int generations;

    /// <summary>What a proof is worth.</summary>
    public long Worth { get; init; } = 800;

    /// <summary>Whether a silo only acknowledges what it has a proof for.</summary>
    public bool ProvesWrites { get; init; } = true;

    /// <summary>Whether a silo that leaves answers for the last time before it says so.</summary>
    public bool LeavesInOrder { get; init; } = true;

    public int Views { get; private set; }
    public int Acknowledgements { get; private set; }
    public int Moves { get; private set; }

    private ClusterMembershipSnapshot Newest => table[^1];

    /// <summary>One step of anybody.</summary>
    /// <returns>What is wrong by then, if anything is.</returns>
    public string? Step()
    {
        now += random.Next(4);
        if (random.Next(1_500) == 0 || silos.Count == 0) ChangeMembership();
        var silo = silos[random.Next(silos.Count)];
        if (random.Next(150) == 0) silo.SleepsUntil = now + random.Next(1_800);
        if (now < silo.SleepsUntil) return null;
        var fingerprint = random.Next(Fingerprints);
        switch (random.Next(20))
        {
            case 0: silo.Follow(table[random.Next(silo.Followed, table.Count)]); break;
            case < 3: silo.BeginToRead(); break;
            case < 5: silo.EndReading(); break;
            case < 7: silo.BeginToLoad(fingerprint); break;
            case < 9: silo.EndLoading(fingerprint); break;
            case < 12: silo.Record(fingerprint); break;
            case < 15: silo.Acknowledge(fingerprint); break;
            default: return silo.View(fingerprint);
        }
        return null;
    }

    // Statuses go forward, one silo at a time.
    private void ChangeMembership()
    {
        var members = Newest.Members;
        var living = members.Values.Where(member => member.Status != SiloStatus.Dead).ToList();
        if (living.Count < Silos && random.Next(2) == 0 || living.Count == 0)
        {
            var address = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + generations), ++generations);
            silos.RemoveAll(silo => Newest.GetSiloStatus(silo.Address) == SiloStatus.Dead && random.Next(2) == 0);
            silos.Add(new(this, address));
            Commit(new(address, SiloStatus.Joining, "silo"));
            return;
        }
        // most of the time all are active
        var one = living.Find(member => member.Status != SiloStatus.Active && random.Next(4) > 0)
            ?? living[random.Next(living.Count)];
        var process = silos.Single(silo => silo.Address.Equals(one.SiloAddress));
        var next = one.Status switch
        {
            SiloStatus.Joining => SiloStatus.Active,
            SiloStatus.Active when random.Next(2) == 0 => SiloStatus.ShuttingDown,
            _ => SiloStatus.Dead, // it left, or it was killed or stopped, and may go on for a while
        };
        if (next == SiloStatus.ShuttingDown && LeavesInOrder) process.Leave();
        Commit(new(one.SiloAddress, next, "silo"));

        void Commit(ClusterMember member) => table.Add(
            Version(members.SetItem(member.SiloAddress, member).Values, (int)Newest.Version.Value + 1));
    }

    private static ClusterMembershipSnapshot Version(IEnumerable<ClusterMember> members, int version) =>
        new(members.ToImmutableDictionary(member => member.SiloAddress), new(version));

    private sealed class Silo(SimulatedCluster cluster, SiloAddress address)
    {
        private readonly Copy?[] copies = new Copy?[Fingerprints];
        private readonly Division?[] claims = new Division?[Fingerprints];
        private readonly Copy?[] loads = new Copy?[Fingerprints];
        private Division division = Division.Unknown(address);
        private (long At, int Place)? reading;
        private (long At, long Version)? proof;
        private bool hasLeft;

        public SiloAddress Address => address;
        public long SleepsUntil { get; set; }

        /// <summary>Place in the table of the version that it has followed.</summary>
        public int Followed { get; private set; }

        public void Follow(ClusterMembershipSnapshot newer)
        {
            var from = cluster.table[Followed];
            if (newer.Version <= from.Version) return;
            var next = division.Next(from, newer, cluster.now, Takeover);
            if (next != division)
            {
                foreach (var copy in copies)
                    if (copy is { IsOpen: true } && !next.Keeps(copy.Point))
                    {
                        (copy.IsOpen, copy.LostIn) = (false, Math.Min(copy.LostIn, from.Version.Value + 1));
                        cluster.Moves++;
                    }
                division = next;
            }
            Followed = cluster.table.IndexOf(newer);
        }

        public void BeginToRead() => reading ??= (cluster.now, cluster.table.Count - 1);

        public void EndReading()
        {
            if (reading is not var (at, place)) return;
            reading = null;
            var version = cluster.table[place];
            if (hasLeft || version.GetSiloStatus(address) != SiloStatus.Active) return;
            Follow(version);
            proof = (at, version.Version.Value);
        }

        public void BeginToLoad(int fingerprint)
        {
            var point = Point(fingerprint);
            if (hasLeft || copies[fingerprint] is { IsOpen: true } || loads[fingerprint] is not null
                || !division.IsLocal(point) || division.UncontestedAt(point) > cluster.now) return;
            (claims[fingerprint], loads[fingerprint]) =
                (division, new(point) { Known = cluster.recorded[fingerprint] });
        }

        public void EndLoading(int fingerprint)
        {
            if (loads[fingerprint] is { } loaded && claims[fingerprint] == division && !hasLeft)
                copies[fingerprint] = loaded;
            loads[fingerprint] = null;
        }

        // The log refuses who does not know its head.
        public void Record(int fingerprint)
        {
            if (copies[fingerprint] is not { IsOpen: true, Unanswered: null } copy) return;
            if (copy.Known == cluster.recorded[fingerprint])
                copy.Unanswered = copy.Known = ++cluster.recorded[fingerprint];
            else copies[fingerprint] = null;
        }

        // What was recorded is answered also where the fingerprint has been lost meanwhile.
        public void Acknowledge(int fingerprint)
        {
            if (copies[fingerprint] is not { Unanswered: { } sequence } copy) return;
            copy.Unanswered = null;
            if (cluster.ProvesWrites && !IsProven(copy)) return;
            cluster.acknowledged[fingerprint] = Math.Max(cluster.acknowledged[fingerprint], sequence);
            cluster.Acknowledgements++;
        }

        public string? View(int fingerprint)
        {
            if (copies[fingerprint] is not { IsOpen: true } copy || !IsProven(copy)) return null;
            cluster.Views++;
            return copy.Known >= cluster.acknowledged[fingerprint] ? null
                : $"{address} shows {copy.Known} of {cluster.acknowledged[fingerprint]} events, in version "
                    + $"{cluster.table[Followed].Version} of {cluster.Newest.Version}";
        }

        public void Leave()
        {
            for (var fingerprint = 0; fingerprint < Fingerprints; fingerprint++) Acknowledge(fingerprint);
            (hasLeft, proof) = (true, null);
        }

        private bool IsProven(Copy copy) =>
            proof is var (at, version) && cluster.now - at < cluster.Worth && version < copy.LostIn;

        private static ulong Point(int fingerprint) => (ulong)fingerprint * 0x9e3779b97f4a7c15;
    }

    private sealed class Copy(ulong point)
    {
        public ulong Point => point;
        public long Known { get; set; }
        public long? Unanswered { get; set; }
        public bool IsOpen { get; set; } = true;
        public long LostIn { get; set; } = long.MaxValue;
    }
}
