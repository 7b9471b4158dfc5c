namespace Tally.Tests.Harness;

/// <summary>The shape of a load. The defaults mix hot and new fingerprints, ids and none, and repeats.</summary>
public sealed record LoadShape
{
    public int Clients { get; init; } = 24;
    public int HotFingerprints { get; init; } = 16;

    /// <summary>The prefix of its fingerprints, if the log has others too.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The share of events that go to a hot fingerprint; each of the others has a new one.</summary>
    public double HotShare { get; init; } = 0.6;

    /// <summary>The share of events with a client's id. The client retries these until they are acknowledged.</summary>
    public double WithIdShare { get; init; } = 0.6;

    /// <summary>The share of steps that repeat an id acknowledged before.</summary>
    public double RepeatShare { get; init; } = 0.15;

    /// <summary>The share of steps that are a batch. It is resent whole until it is answered with 200.</summary>
    public double BatchShare { get; init; }

    /// <summary>The share of acknowledgements that are followed by a query to a random address.</summary>
    public double ReadBackShare { get; init; }

    /// <summary>
    /// Longer than the server's deadline and any pause of its process, so only what hangs takes longer.
    /// </summary>
    public TimeSpan AnswerPatience { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>
    /// The longest that a client leaves its connection idle before the next event. Without it, a test takes all the
    /// processor time that there is from those beside it.
    /// </summary>
    public int IdleMillisecondsMax { get; init; } = 40;

    /// <summary>
    /// Whether a client that receives "Connection: close" leaves that address for good, as behind a load balancer.
    /// </summary>
    public bool LeavesWhenTold { get; init; }
}
