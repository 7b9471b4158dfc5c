namespace Tally.Tests.Harness;

/// <summary>How a load looks. The defaults mix everything that a real one has.</summary>
public sealed record LoadShape
{
    public int Clients { get; init; } = 24;
    public int HotFingerprints { get; init; } = 16;

    /// <summary>What its fingerprints begin with, where others are in the same log.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Of events: how many go to a hot fingerprint; the others have a new one each.</summary>
    public double HotShare { get; init; } = 0.6;

    /// <summary>Of events: how many have an id of their client, which retries until they are acknowledged.</summary>
    public double WithIdShare { get; init; } = 0.6;

    /// <summary>Of steps: how many repeat an id that was acknowledged before.</summary>
    public double RepeatShare { get; init; } = 0.15;

    /// <summary>Of steps: how many are a batch, which is sent whole until it is answered 200.</summary>
    public double BatchShare { get; init; }

    /// <summary>Of acknowledgements: how many are followed by a query, through any of the addresses.</summary>
    public double ReadBackShare { get; init; }

    /// <summary>
    /// Longer than the server's deadline and any stop of its process: nothing takes longer, unless it hangs.
    /// </summary>
    public TimeSpan AnswerPatience { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Up to so long a client leaves its connection idle before the next event.</summary>
    public int IdleMillisecondsMax { get; init; }

    /// <summary>
    /// A client that is told "Connection: close" leaves that address for good, as behind a load balancer.
    /// </summary>
    public bool LeavesWhenTold { get; init; }
}
