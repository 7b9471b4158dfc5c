using System.Collections.Concurrent;
using Tally.Silo.Http;

namespace Tally.Tests.Harness;

/// <summary>What a client knows of one try to post an event.</summary>
public enum AttemptOutcome
{
    /// <summary>200, with a receipt.</summary>
    Acknowledged,
    /// <summary>503, with a reason.</summary>
    Refused,
    /// <summary>Nobody listened; nothing was sent.</summary>
    NotConnected,
    /// <summary>The connection ended without a reply: recorded or not.</summary>
    NoReply,
    /// <summary>Any other answer, or none for far longer than the server's deadline. Always a failure.</summary>
    Unexpected,
}

/// <param name="Fingerprint">Whose event.</param>
/// <param name="Id">The client's own, where it gave one.</param>
/// <param name="Product">As sent.</param>
/// <param name="Action">As sent.</param>
/// <param name="Outcome">What became of it, as far as the client knows.</param>
/// <param name="Receipt">With <see cref="AttemptOutcome.Acknowledged"/>.</param>
/// <param name="Answer">Otherwise, what was answered.</param>
/// <param name="RetryAfter">With <see cref="AttemptOutcome.Refused"/>, the header.</param>
/// <param name="Took">From before sending until the outcome.</param>
public sealed record Attempt(string Fingerprint, string? Id, string Product, string Action,
    AttemptOutcome Outcome, Receipt? Receipt, string Answer, string? RetryAfter, TimeSpan Took)
{
    /// <summary>When its outcome was known; of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
    public long EndedAt { get; } = System.Diagnostics.Stopwatch.GetTimestamp();
}

/// <summary>A query that was sent after a post had been acknowledged.</summary>
/// <param name="Fingerprint">Whose.</param>
/// <param name="Expected">The acknowledged sequence.</param>
/// <param name="Seen">What the answer showed; null where there was none but a refusal or a broken connection.</param>
/// <param name="Through">Whom it asked.</param>
/// <param name="SentAt">Of <see cref="System.Diagnostics.Stopwatch"/>.</param>
/// <param name="EndedAt">Likewise.</param>
public sealed record ReadBack(string Fingerprint, long Expected, long? Seen, string Through, long SentAt, long EndedAt)
{
    public bool IsStale => Seen < Expected;
}

/// <summary>Every attempt of a load, by all of its clients.</summary>
public sealed class LoadHistory
{
    private readonly ConcurrentQueue<Attempt> attempts = [];
    private readonly int[] counts = new int[Enum.GetValues<AttemptOutcome>().Length]; // asked for many times a second

    public IReadOnlyCollection<Attempt> All => attempts;
    public int Acknowledged => Count(AttemptOutcome.Acknowledged);

    /// <summary>Queries after acknowledgements.</summary>
    public ConcurrentQueue<ReadBack> ReadsBack { get; } = [];

    public void Add(Attempt attempt)
    {
        attempts.Enqueue(attempt);
        Interlocked.Increment(ref counts[(int)attempt.Outcome]);
    }

    public IEnumerable<Attempt> With(AttemptOutcome outcome) => attempts.Where(attempt => attempt.Outcome == outcome);

    public int Count(AttemptOutcome outcome) => Volatile.Read(ref counts[(int)outcome]);

    /// <summary>Nothing but 200s.</summary>
    public void AssertAllAcknowledged() => Assert.True(All.Count == Acknowledged, $"Requests failed: {this}\n"
        + string.Join('\n', attempts.Where(attempt => attempt.Outcome != AttemptOutcome.Acknowledged).Take(10)));

    public override string ToString() => string.Join(", ", attempts.CountBy(attempt => attempt.Outcome)
        .OrderBy(pair => pair.Key).Select(pair => $"{pair.Value} {pair.Key}"));
}
