using System.Collections.Concurrent;
using Tally.Silo.Http;

namespace Tally.Tests.Harness;

/// <summary>What a client knows about one attempt to post an event.</summary>
public enum AttemptOutcome
{
    /// <summary>200, with a receipt.</summary>
    Acknowledged,
    /// <summary>503, with a reason.</summary>
    Refused,
    /// <summary>Nobody listened, so nothing was sent.</summary>
    NotConnected,
    /// <summary>The connection ended without a reply: the event may be recorded.</summary>
    NoReply,
    /// <summary>Any other answer, or none for far longer than the server's deadline. Always a failure.</summary>
    Unexpected,
}

/// <param name="Id">The client's own id, if it gave one.</param>
/// <param name="Outcome">The outcome as far as the client knows.</param>
/// <param name="Receipt">If <see cref="AttemptOutcome.Acknowledged"/>.</param>
/// <param name="Answer">What was answered otherwise.</param>
/// <param name="RetryAfter">The header, if <see cref="AttemptOutcome.Refused"/>.</param>
/// <param name="Took">The time from before sending until the outcome.</param>
public sealed record Attempt(string Fingerprint, string? Id, string Product, string Action,
    AttemptOutcome Outcome, Receipt? Receipt, string Answer, string? RetryAfter, TimeSpan Took)
{
    /// <summary>When its outcome was known, as a <see cref="System.Diagnostics.Stopwatch"/> timestamp.</summary>
    public long EndedAt { get; } = System.Diagnostics.Stopwatch.GetTimestamp();
}

/// <summary>A query that was sent after a post had been acknowledged.</summary>
/// <param name="Expected">The acknowledged sequence.</param>
/// <param name="Seen">The sequence in the answer; null for a refusal or a broken connection.</param>
/// <param name="Through">The address that was asked.</param>
/// <param name="SentAt">A <see cref="System.Diagnostics.Stopwatch"/> timestamp.</param>
/// <param name="EndedAt">Likewise.</param>
public sealed record ReadBack(string Fingerprint, long Expected, long? Seen, string Through, long SentAt, long EndedAt)
{
    public bool IsStale => Seen < Expected;
}

/// <summary>Every attempt by all of a load's clients.</summary>
public sealed class LoadHistory
{
    private readonly ConcurrentQueue<Attempt> attempts = [];
    private readonly int[] counts = new int[Enum.GetValues<AttemptOutcome>().Length]; // read many times a second

    public IReadOnlyCollection<Attempt> All => attempts;
    public int Acknowledged => Count(AttemptOutcome.Acknowledged);

    public ConcurrentQueue<ReadBack> ReadsBack { get; } = [];

    public void Add(Attempt attempt)
    {
        attempts.Enqueue(attempt);
        Interlocked.Increment(ref counts[(int)attempt.Outcome]);
    }

    public IEnumerable<Attempt> With(AttemptOutcome outcome) => attempts.Where(attempt => attempt.Outcome == outcome);

    public int Count(AttemptOutcome outcome) => Volatile.Read(ref counts[(int)outcome]);

    /// <summary>
    /// What must hold of a copy that was made after a moment: of all that was acknowledged later, the copy may have
    /// some.
    /// </summary>
    /// <param name="moment">A <see cref="System.Diagnostics.Stopwatch"/> timestamp.</param>
    public LoadHistory AsOf(long moment)
    {
        var known = new LoadHistory();
        foreach (var attempt in attempts)
            known.Add(attempt.Outcome == AttemptOutcome.Acknowledged && attempt.EndedAt >= moment
                ? attempt with { Outcome = AttemptOutcome.NoReply } : attempt);
        return known;
    }

    /// <summary>Asserts that every attempt was answered with 200.</summary>
    public void AssertAllAcknowledged() => Assert.True(All.Count == Acknowledged, $"Requests failed: {this}\n"
        + string.Join('\n', attempts.Where(attempt => attempt.Outcome != AttemptOutcome.Acknowledged).Take(10)));

    public override string ToString() => string.Join(", ", attempts.CountBy(attempt => attempt.Outcome)
        .OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} {pair.Key}"));
}
