namespace Tally.Tests.Harness;

/// <summary>An event that a test sends.</summary>
/// <param name="Occurred">UTC, whole microseconds.</param>
internal sealed record SentEvent(string Id, string Fingerprint, string Product, string Action, DateTime Occurred)
{
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>Names that are easy to get wrong in URLs, in lists or when sorting by bytes.</summary>
    public static readonly string[] Products = ["k8s", "vms", "käse ☕&=+%"], Actions = ["view", "buy", "a,b"];

    /// <summary>
    /// Draws an event from a few fingerprints, products and actions. It occurred within the last 30 days, in many cases
    /// at the edge of a day or an hour.
    /// </summary>
    public static SentEvent Draw(Random random, int number, DateTime now)
    {
        var day = now.Date.AddDays(-random.Next(28));
        var edge = random.Next(-1, 2) * TimeSpan.FromMicroseconds(1);
        var occurred = random.Next(4) switch
        {
            0 => day + edge,
            1 => day.AddHours(-random.Next(24)) + edge,
            2 => now.AddSeconds(-random.Next(7_200)),
            _ => now.AddSeconds(-random.Next(28 * 86_400)),
        };
        return new($"id-{number}", $"visitor-{random.Next(7)}", Any(Products), Any(Actions), occurred);

        string Any(string[] names) => names[random.Next(names.Length)];
    }

    public string ToJson() => System.Text.Json.JsonSerializer.Serialize(new
    {
        id = Id,
        fingerprint = Fingerprint,
        product = Product,
        action = Action,
        timestamp = Occurred.ToString(TimeFormat, System.Globalization.CultureInfo.InvariantCulture),
    });
}

/// <summary>What was recorded, in plain sets and lists, to compare answers with.</summary>
internal sealed class EventModel
{
    internal sealed record Counted(SentEvent Sent, bool IsNew, bool IsNewToProduct);

    private readonly HashSet<object> seen = [];
    private readonly List<Counted> events = [];

    public IReadOnlyList<Counted> Events => events;

    /// <returns>False for a repeat.</returns>
    public bool Add(SentEvent sent)
    {
        if (!seen.Add(("id", sent.Fingerprint, sent.Id))) return false;
        events.Add(new(sent, seen.Add(sent.Fingerprint), seen.Add((sent.Fingerprint, sent.Product))));
        return true;
    }

    public IEnumerable<Counted> Between(DateTime from, DateTime to, string? product = null, string? action = null) =>
        events.Where(e =>
        e.Sent.Occurred >= from && e.Sent.Occurred < to && (product ?? e.Sent.Product) == e.Sent.Product
            && (action ?? e.Sent.Action) == e.Sent.Action);
}
