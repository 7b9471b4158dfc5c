using System.Globalization;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>An event of a funnel's test. Those of a fingerprint are recorded in the order of their numbers.</summary>
internal sealed record FunnelEvent(
    int Number, string Fingerprint, string Product, string Action, DateTime Occurred, string? Path, string? Plan)
{
    public string? Properties => Path is null && Plan is null ? null
        : JsonSerializer.Serialize(new Dictionary<string, object?> { ["path"] = Path, ["x"] = 1, ["plan"] = Plan });

    public string ToJson() => JsonSerializer.Serialize(new
    {
        id = $"{Number}",
        fingerprint = Fingerprint,
        product = Product,
        action = Action,
        timestamp = Occurred.ToString(SentEvent.TimeFormat, CultureInfo.InvariantCulture),
        properties = Properties is null ? null : (JsonElement?)JsonSerializer.Deserialize<JsonElement>(Properties),
    });

    /// <summary>Draws an event from few names and times, so that many are equal.</summary>
    public static FunnelEvent Draw(Random random, int number, DateTime day) => new(
        number, $"visitor-{random.Next(5)}", random.Next(3) == 0 ? "vms" : "k8s",
        FunnelModel.Actions[random.Next(FunnelModel.Actions.Length)],
        day.AddHours(random.Next(2) * random.Next(-72, 72)).AddMinutes(random.Next(4) * 20)
            .AddTicks(10 * random.Next(2)),
        random.Next(4) == 0 ? null : FunnelModel.Paths[random.Next(FunnelModel.Paths.Length)],
        random.Next(2) == 0 ? null : "pro");
}

/// <summary>
/// A funnel counted without any cleverness: each choice of events is tried, and each attempt is written down.
/// </summary>
internal sealed record FunnelModel(
    string[] Steps, (string Action, string? Path, string? Plan)[] Asked, TimeSpan Within, DateTime From, DateTime To,
    string? Product, bool ByPath)
{
    public static readonly string[] Actions = ["view", "view", "signup", "buy", "a,b[c]=\\"];
    public static readonly string[] Paths = ["/", "/pricing", "/a]b,c=d\\é"];

    private static readonly string[] Written = ["view", "signup", "buy", @"a\,b\[c\]=\\"];

    public static FunnelModel Draw(Random random, DateTime day)
    {
        var count = random.Next(2, 5);
        var asked = Enumerable.Range(0, count).Select(_ => (Action: random.Next(4),
            Path: random.Next(3) == 0 ? Paths[random.Next(Paths.Length)] : null,
            Plan: random.Next(5) == 0 ? "pro" : null)).ToArray();
        return new(
            [.. asked.Select(step => Written[step.Action] + Filters(step.Path, step.Plan))],
            [.. asked.Select(step => (Actions[step.Action + 1], step.Path, step.Plan))],
            TimeSpan.FromMinutes(random.Next(3) switch { 0 => 20, 1 => 60, _ => 2 * 24 * 60 }),
            day.AddDays(-random.Next(3)), day.AddDays(1 + random.Next(2)), random.Next(2) == 0 ? "k8s" : null,
            random.Next(2) == 0);
    }

    private static string Filters(string? path, string? plan)
    {
        var escaped = path?.Replace("\\", "\\\\").Replace("]", "\\]").Replace(",", "\\,");
        string?[] each = [path is null ? null : "path=" + escaped, plan is null ? null : "plan=" + plan];
        var filters = string.Join(',', each.OfType<string>());
        return filters.Length == 0 ? "" : $"[{filters}]";
    }

    /// <summary>All steps, as lines: of all fingerprints, then of the largest values, then of the others.</summary>
    public List<string> Lines(IEnumerable<FunnelEvent> events, int limit)
    {
        var best = events.Where(one => (Product ?? one.Product) == one.Product).GroupBy(one => one.Fingerprint)
            .Select(history => Best([.. history.OrderBy(one => one.Occurred).ThenBy(one => one.Number)]))
            .OfType<(FunnelEvent First, FunnelEvent[] Attempt)>().ToList();
        List<string> lines = [.. Lines("all", best)];
        if (!ByPath) return lines;
        var values = best.GroupBy(one => one.First.Path ?? "").OrderByDescending(group => group.Count())
            .ThenBy(group => group.Key, StringComparer.Ordinal).ToList();
        lines.AddRange(values.Take(limit).SelectMany(group => Lines("value " + group.Key, [.. group])));
        var others = values.Skip(limit).SelectMany(group => group).ToList();
        if (others.Count > 0) lines.AddRange(Lines("other", others));
        return lines;
    }

    private IEnumerable<string> Lines(string of, List<(FunnelEvent First, FunnelEvent[] Attempt)> best) =>
        Steps.Select((step, i) =>
    {
        var here = best.Select(one => one.Attempt).Where(attempt => attempt.Length > i).ToList();
        return Line(of, step, here.Count,
            i == 0 ? null : Median(here.Select(attempt => attempt[i].Occurred - attempt[0].Occurred)),
            i == 0 ? null : Median(here.Select(attempt => attempt[i].Occurred - attempt[i - 1].Occurred)));
    });

    public static string Line(string of, string step, long fingerprints, double? sinceFirst, double? sincePrevious) =>
        string.Create(CultureInfo.InvariantCulture, $"{of}: {step} {fingerprints} {sinceFirst} {sincePrevious}");

    private static double? Median(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Select(time => time.TotalSeconds).Order().ToArray();
        return sorted.Length == 0 ? null
            : Math.Round((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, 7);
    }

    private (FunnelEvent First, FunnelEvent[] Attempt)? Best(FunnelEvent[] history)
    {
        var attempts = Enumerable.Range(0, history.Length)
            .Where(i => Is(history[i], 0) && history[i].Occurred >= From && history[i].Occurred < To)
            .Select(i => (Start: i, Events: Attempt(history, i))).ToList();
        if (attempts.Count == 0) return null;
        var furthest = attempts.Max(attempt => Furthest(history, attempt.Start, 0, attempt.Start));
        Assert.Equal(furthest, attempts.Max(attempt => attempt.Events.Length)); // no other choice would get further
        return (history[attempts[0].Start], attempts.Where(attempt => attempt.Events.Length == furthest)
            .OrderBy(attempt => Array.IndexOf(history, attempt.Events[^1])).ThenByDescending(attempt => attempt.Start)
            .First().Events);
    }

    // With the first event of each step.
    private FunnelEvent[] Attempt(FunnelEvent[] history, int start)
    {
        var events = new List<FunnelEvent> { history[start] };
        for (var i = start + 1; i < history.Length && events.Count < Steps.Length; i++)
            if (Is(history[i], events.Count) && history[i].Occurred - history[start].Occurred <= Within)
                events.Add(history[i]);
        return [.. events];
    }

    // Steps done with this event as this step, with whatever events for those after it.
    private int Furthest(FunnelEvent[] history, int start, int step, int at) => step + 1 == Steps.Length ? step + 1
        : Enumerable.Range(at + 1, history.Length - at - 1)
            .Where(i => Is(history[i], step + 1) && history[i].Occurred - history[start].Occurred <= Within)
            .Select(i => Furthest(history, start, step + 1, i)).Append(step + 1).Max();

    private bool Is(FunnelEvent one, int step) => one.Action == Asked[step].Action
        && (Asked[step].Path ?? one.Path) == one.Path && (Asked[step].Plan ?? one.Plan) == one.Plan;
}
