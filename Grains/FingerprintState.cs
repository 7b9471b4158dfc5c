using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Grains;

/// <summary>
/// What the events of one fingerprint add up to: the fold of its log, and, written through grain storage, its
/// snapshot. Stored bytes are read for ever: members may be added with new ids, never changed or reused.
/// </summary>
[GenerateSerializer, Alias("tally.FingerprintState")]
public sealed class FingerprintState
{
    [Id(0)] public long Sequence { get; private set; }
    [Id(1)] public long Total { get; private set; }
    [Id(2)] public DateTime FirstSeen { get; private set; }
    [Id(3)] public DateTime LastSeen { get; private set; }
    [Id(4)] public DaySet Days { get; private set; } = new();
    [Id(5)] public List<Counter> Counters { get; private set; } = new(1); // most visitors need no second
    [Id(6)] public List<ProductDays> Products { get; private set; } = new(1);

    // Null while there is one day, which has all events: what most visitors have costs them nothing.
    [Id(7)] private DayCounts? activity;

    /// <summary>Null while no rule concerns it, so nothing for most.</summary>
    [Id(8)] public RuleStates? Rules { get; private set; }

    /// <summary>Folds in the next event of the log.</summary>
    public void Apply(RecordedEvent recorded, Calendar calendar)
    {
        if (recorded.Sequence <= Sequence)
            throw new InvalidOperationException($"Sequence {recorded.Sequence} folded after {Sequence}.");
        var e = recorded.Event;
        var day = calendar.DayOf(e.Occurred).DayNumber;
        CountDay(day);
        if (Total == 0 || e.Occurred < FirstSeen) FirstSeen = e.Occurred;
        if (Total == 0 || e.Occurred > LastSeen) LastSeen = e.Occurred;
        Sequence = recorded.Sequence;
        Total++;
        Days.Add(day);
        var product = FindProduct(e.Product);
        if (product is null) Products.Add(product = new ProductDays { Product = e.Product });
        product.Days.Add(day);
        var counter = FindCounter(e.Product, e.Action);
        if (counter is null) Counters.Add(counter = new Counter { Product = product.Product, Action = e.Action });
        counter.Add(e.Occurred);
        Rules = RuleFold.Fold(Rules, recorded.Marks, recorded.Fingerprint, recorded.Sequence, e);
    }

    private void CountDay(int day)
    {
        if (activity is null && Days.Count == 1 && !Days.Contains(day))
        {
            activity = new();
            activity.Add(Days.All().First(), Total); // the one day until now
        }
        activity?.Add(day);
    }

    public ProductDays? FindProduct(string product)
    {
        foreach (var candidate in Products)
            if (candidate.Product == product) return candidate;
        return null;
    }

    // A linear search: most fingerprints have a handful of counters, and Limits.CountersMax bounds the rest.
    public Counter? FindCounter(string product, string action)
    {
        foreach (var counter in Counters)
            if (counter.Product == product && counter.Action == action) return counter;
        return null;
    }

    /// <summary>What a snapshot is written from, while the grain goes on folding.</summary>
    public FingerprintState Copy() => new()
    {
        Sequence = Sequence,
        Total = Total,
        FirstSeen = FirstSeen,
        LastSeen = LastSeen,
        Days = Days.Copy(),
        Counters = Counters.ConvertAll(counter => counter.Copy()),
        Products = Products.ConvertAll(product =>
            new ProductDays { Product = product.Product, Days = product.Days.Copy() }),
        activity = activity?.Copy(),
        Rules = Rules, // it does not change
    };

    /// <summary>Whether two folds are the same, for proofs.</summary>
    public bool SameAs(FingerprintState other) =>
        Sequence == other.Sequence && Total == other.Total
        && FirstSeen == other.FirstSeen && LastSeen == other.LastSeen && Days.SameAs(other.Days)
        && Counters.Count == other.Counters.Count
        && Counters.Zip(other.Counters).All(pair => pair.First.SameAs(pair.Second))
        && Products.Count == other.Products.Count
        && Products.Zip(other.Products).All(pair =>
            pair.First.Product == pair.Second.Product && pair.First.Days.SameAs(pair.Second.Days))
        && (activity is null ? other.activity is null : other.activity is not null && activity.SameAs(other.activity))
        && (Rules is null ? other.Rules is null : Rules.SameAs(other.Rules));

    public FingerprintView ToView(string fingerprint) => new(fingerprint, Total, Sequence, FirstSeen, LastSeen,
        Counters.ConvertAll(c => new CountView(c.Product, c.Action, c.Count, c.FirstSeen, c.LastSeen)),
        Days.Count,
        activity?.ToView() ?? [.. Days.All().Select(day => new DayView(DateOnly.FromDayNumber(day), Total))]);
}

/// <summary>The events of one product and action.</summary>
[GenerateSerializer, Alias("tally.Counter")]
public sealed class Counter
{
    [Id(0)] public required string Product { get; init; }
    [Id(1)] public required string Action { get; init; }
    [Id(2)] public long Count { get; private set; }
    [Id(3)] public DateTime FirstSeen { get; private set; }
    [Id(4)] public DateTime LastSeen { get; private set; }

    public void Add(DateTime occurred)
    {
        if (Count == 0 || occurred < FirstSeen) FirstSeen = occurred;
        if (Count == 0 || occurred > LastSeen) LastSeen = occurred;
        Count++;
    }

    public Counter Copy() => (Counter)MemberwiseClone();

    public bool SameAs(Counter other) => Product == other.Product && Action == other.Action && Count == other.Count
        && FirstSeen == other.FirstSeen && LastSeen == other.LastSeen;
}

/// <summary>The days on which one product was used.</summary>
[GenerateSerializer, Alias("tally.ProductDays")]
public sealed class ProductDays
{
    [Id(0)] public required string Product { get; init; }
    [Id(1)] public DaySet Days { get; init; } = new();
}
