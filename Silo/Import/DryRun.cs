using System.Globalization;
using System.Text;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http;

namespace Tally.Silo.Import;

/// <summary>
/// Says what an import would send, and sends nothing. It judges each event as a service with the default limits does,
/// and cannot know which events the service has already.
/// </summary>
/// <param name="reportRefused">Called with the line and the reason of each event that would be refused.</param>
internal sealed class DryRun(Action<long, string> reportRefused)
{
    private const int KindsMax = 10_000; // of a hostile file
    private const int KindsShownMax = 100;

    private static readonly Limits Limits = new();

    private readonly Dictionary<(string Product, string Action), long> kinds = [];
    private readonly LeftOut leftOut = new();
    private long events, otherKinds;
    private DateTime first = DateTime.MaxValue, last = DateTime.MinValue;

    /// <summary>How many would be refused.</summary>
    public long Refused { get; private set; }

    public async Task Run(IAsyncEnumerable<Item> items)
    {
        await foreach (var item in items)
            if (item.LeftOutAs is { } kind) leftOut.Add(kind);
            else if ((item.Json is null ? item.Problem : Judge(item.Json)) is { } problem)
            {
                Refused++;
                reportRefused(item.Line, problem);
            }
    }

    /// <summary>The report, in several lines.</summary>
    public string ToReport()
    {
        var report = new StringBuilder();
        report.Append(CultureInfo.InvariantCulture, $"{this}\n");
        if (events > 0)
            report.Append(CultureInfo.InvariantCulture, $"from {Shown(first)} to {Shown(last)}\n");
        foreach (var (kind, count) in kinds.OrderByDescending(kind => kind.Value).ThenBy(kind => kind.Key)
            .Take(KindsShownMax))
            report.Append(CultureInfo.InvariantCulture, $"{count,12} {Plain(kind.Action)} ({Plain(kind.Product)})\n");
        if (kinds.Values.OrderDescending().Skip(KindsShownMax).Sum() + otherKinds is > 0 and var others)
            report.Append(CultureInfo.InvariantCulture, $"{others,12} of other actions\n");
        return report.ToString();
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{events} events would be sent, {Refused} refused{leftOut}");

    private string? Judge(byte[] json)
    {
        try
        {
            var fields = JsonSerializer.Deserialize(json, HttpJson.Default.EventFields)!;
            fields.IsHistory = true;
            if (fields.ToEvent(Limits, TimeProvider.System.GetUtcNow(), out var judged) is { } refusal)
                return $"{refusal.Reason}: {refusal.Detail}";
            Count(judged!);
            return null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "The fields are not those of an event.";
        }
    }

    private void Count(Event judged)
    {
        events++;
        if (judged.Occurred < first) first = judged.Occurred;
        if (judged.Occurred > last) last = judged.Occurred;
        var kind = (judged.Product, judged.Action);
        if (kinds.Count < KindsMax || kinds.ContainsKey(kind)) kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
        else otherKinds++;
    }

    private static string Shown(DateTime time) =>
        time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    // Valid names have no control characters, but may be long.
    private static string Plain(string name) => name.Length <= 80 ? name : name[..80] + "…";
}
