using System.Text;
using System.Text.Json;
using System.Xml;
using Tally.Contracts;

namespace Tally.Grains.Rules;

/// <summary>What is wrong with a rule, and where: a JSON pointer (RFC 6901), empty for the whole.</summary>
/// <param name="Detail">Quotes nothing of the rule.</param>
public sealed record RuleFault(string Place, string Detail);

/// <summary>Reads a rule from JSON. Whatever it does not know is a fault, so that no wish is skipped.</summary>
public sealed class RuleReader
{
    /// <summary>Of the name and of the value of a property in a filter, in bytes of UTF-8.</summary>
    public const int FilterTextBytesMax = 256;

    public const int UrlCharactersMax = 2_000;
    public const int TimesMin = 2, TimesMax = 100, EveryMin = 2, EveryMax = 1_000_000;

    /// <summary>An Int32 or an Int64 is written with fewer.</summary>
    public const int NumberCharactersMax = 32;

    public static readonly TimeSpan WithinMin = TimeSpan.FromMinutes(1), WithinMax = TimeSpan.FromDays(30);

    private const int PlainNameMax = 24; // only a plain name is repeated in a pointer

    private readonly Limits? limits;
    private RuleFault? fault;

    private RuleReader(Limits? limits) => this.limits = limits;

    /// <param name="limits">Null for a rule that is kept: it was checked when it came.</param>
    /// <returns>The first fault, or null.</returns>
    public static RuleFault? Read(JsonElement json, Limits? limits, out RuleDefinition? rule)
    {
        var reader = new RuleReader(limits);
        rule = reader.ReadRule(json);
        if (reader.fault is not null) rule = null;
        return reader.fault;
    }

    public static string NameOf(RuleFrequency how) => how switch
    {
        RuleFrequency.Once => "once",
        RuleFrequency.Daily => "daily",
        _ => "each",
    };

    private RuleDefinition? ReadRule(JsonElement json)
    {
        if (!IsObject(json, "", ["when", "how", "webhook"], ["when"])) return null;
        var rule = ReadWhen(json.GetProperty("when"));
        if (fault is not null) return null;
        var how = json.TryGetProperty("how", out var named) ? ReadHow(named) : RuleFrequency.Once;
        var webhook = json.TryGetProperty("webhook", out var hook) ? ReadWebhook(hook) : null;
        return rule! with { How = how, Webhook = webhook };
    }

    private RuleDefinition? ReadWhen(JsonElement when)
    {
        const string at = "/when";
        string[] conditions = ["count", "then", "without", "silence"];
        if (!IsObject(when, at, ["event", .. conditions], ["event"])) return null;
        string[] given = [.. conditions.Where(name => when.TryGetProperty(name, out _))];
        if (given is not [var one])
            return Fault(at, "Exactly one of count, then, without and silence is needed.");
        if (ReadPattern(when.GetProperty("event"), at + "/event") is not { } pattern) return null;
        var rule = new RuleDefinition(pattern, RuleKind.First, 0, default, null, default, null);
        var condition = when.GetProperty(one);
        return one switch
        {
            "count" => ReadCount(rule, condition),
            "silence" => ReadSilence(rule, condition),
            _ => ReadFollowing(rule, condition, $"{at}/{one}", one == "then" ? RuleKind.Then : RuleKind.Without),
        };
    }

    private RuleDefinition? ReadCount(RuleDefinition rule, JsonElement count)
    {
        const string at = "/when/count";
        if (count.ValueKind == JsonValueKind.String && count.ValueEquals("first")) return rule;
        if (count.ValueKind != JsonValueKind.Object)
            return Fault(at, "It must be \"first\", or an object with every, or with times and within.");
        if (count.TryGetProperty("every", out var every))
            return !IsObject(count, at, ["every"], []) ? null : rule with
            {
                Kind = RuleKind.Every,
                Number = ReadNumber(every, at + "/every", EveryMin, EveryMax),
            };
        return !IsObject(count, at, ["times", "within"], ["times", "within"]) ? null : rule with
        {
            Kind = RuleKind.Times,
            Number = ReadNumber(count.GetProperty("times"), at + "/times", TimesMin, TimesMax),
            Within = ReadWithin(count.GetProperty("within"), at + "/within"),
        };
    }

    private RuleDefinition? ReadSilence(RuleDefinition rule, JsonElement silence)
    {
        const string at = "/when/silence";
        if (rule.Event.Where.Count > 0)
            return Fault("/when/event/where", "A silence takes no filters: it is asked of the totals.");
        return !IsObject(silence, at, ["within"], ["within"]) ? null : rule with
        {
            Kind = RuleKind.Silence,
            Within = ReadWithin(silence.GetProperty("within"), at + "/within"),
        };
    }

    private RuleDefinition? ReadFollowing(RuleDefinition rule, JsonElement json, string at, RuleKind kind) =>
        !IsObject(json, at, ["event", "within"], ["event", "within"]) ? null : rule with
        {
            Kind = kind,
            Other = ReadPattern(json.GetProperty("event"), at + "/event"),
            Within = ReadWithin(json.GetProperty("within"), at + "/within"),
        };

    private EventPattern? ReadPattern(JsonElement json, string at)
    {
        if (!IsObject(json, at, ["product", "action", "where"], ["product", "action"])) return null;
        var product = ReadText(json.GetProperty("product"), at + "/product", limits?.ProductBytesMax);
        var action = ReadText(json.GetProperty("action"), at + "/action", limits?.ActionBytesMax);
        var where = new List<PropertyFilter>();
        if (json.TryGetProperty("where", out var filters)) ReadFilters(filters, at + "/where", where);
        return fault is null ? new(product!, action!, where) : null;
    }

    private void ReadFilters(JsonElement json, string at, List<PropertyFilter> where)
    {
        if (json.ValueKind != JsonValueKind.Array)
        {
            Fault(at, "It must be an array.");
            return;
        }
        if (json.GetArrayLength() > limits?.RuleFiltersMax)
            Fault(at, $"It takes at most {limits.RuleFiltersMax} filters.");
        foreach (var (place, filter) in json.EnumerateArray().Index())
        {
            var here = $"{at}/{place}";
            if (fault is not null || !IsObject(filter, here, ["property", "is"], ["property", "is"])) return;
            var property = ReadText(filter.GetProperty("property"), here + "/property", FilterTextBytesMax);
            var value = filter.GetProperty("is");
            CheckValue(value, here + "/is");
            if (fault is null) where.Add(new(property!, value.Clone()));
        }
    }

    private void CheckValue(JsonElement value, string at)
    {
        if (value.ValueKind == JsonValueKind.String) ReadText(value, at, FilterTextBytesMax, mayBeEmpty: true);
        else if (value.ValueKind == JsonValueKind.Number && value.GetRawText().Length > NumberCharactersMax)
            Fault(at, $"A number takes at most {NumberCharactersMax} characters.");
        else if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False))
            Fault(at, "It must be a text, a number, true or false.");
    }

    private RuleFrequency ReadHow(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.String)
            foreach (var how in Enum.GetValues<RuleFrequency>())
                if (json.ValueEquals(NameOf(how))) return how;
        Fault("/how", "It must be once, daily or each.");
        return default;
    }

    private RuleWebhook? ReadWebhook(JsonElement json)
    {
        const string at = "/webhook";
        if (!IsObject(json, at, ["url", "ordered"], ["url"])) return null;
        var url = ReadText(json.GetProperty("url"), at + "/url", UrlCharactersMax);
        if (url is not null
            && !(Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https"
                && parsed.Host.Length > 0))
            Fault(at + "/url", "It must be an absolute URL of http or https.");
        else if (url is not null && new Uri(url).UserInfo.Length > 0)
            Fault(at + "/url", "It must have no user and no password: whoever may read rules would read them.");
        var ordered = json.TryGetProperty("ordered", out var order) && order.ValueKind == JsonValueKind.True;
        if (json.TryGetProperty("ordered", out order)
            && order.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            Fault(at + "/ordered", "It must be true or false.");
        return fault is null ? new(url!, ordered) : null;
    }

    private int ReadNumber(JsonElement json, string at, int min, int max)
    {
        if (json.ValueKind == JsonValueKind.Number && json.TryGetInt32(out var number) && number >= min
            && number <= max) return number;
        Fault(at, $"It must be a whole number from {min} to {max}.");
        return 0;
    }

    private TimeSpan ReadWithin(JsonElement json, string at)
    {
        // years and months have no fixed length
        if (json.ValueKind == JsonValueKind.String && TryUnescape(json) is { Length: <= NumberCharactersMax } text
            && text.StartsWith('P') && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '.')
            && !text.Contains('Y') && !text.Split('T')[0].Contains('M')
            && TryParse(text) is { } within && within >= WithinMin && within <= WithinMax
            && within.Ticks % TimeSpan.TicksPerSecond == 0) return within;
        Fault(at, "It must be a duration as ISO 8601 writes it, in whole seconds, from PT1M to P30D.");
        return default;
    }

    private static TimeSpan? TryParse(string duration)
    {
        try
        {
            return XmlConvert.ToTimeSpan(duration);
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            return null;
        }
    }

    private string? ReadText(JsonElement json, string at, int? bytesMax, bool mayBeEmpty = false)
    {
        if (json.ValueKind != JsonValueKind.String)
        {
            Fault(at, "It must be a text.");
            return null;
        }
        if (TryUnescape(json) is not { } text || text.Any(char.IsControl))
            Fault(at, "It must be valid Unicode without control characters.");
        else if (text.Length == 0 && !mayBeEmpty) Fault(at, "It must not be empty.");
        else if (Encoding.UTF8.GetByteCount(text) > bytesMax) Fault(at, $"It takes at most {bytesMax} bytes of UTF-8.");
        else return text;
        return null;
    }

    // Null for half a surrogate pair.
    private static string? TryUnescape(JsonElement json)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private bool IsObject(JsonElement json, string at, string[] known, string[] needed)
    {
        if (json.ValueKind != JsonValueKind.Object) Fault(at, "It must be an object.");
        else
        {
            foreach (var member in json.EnumerateObject())
                if (!known.Contains(member.Name))
                    Fault(IsPlain(member.Name) ? $"{at}/{member.Name}" : at,
                        $"There is no such member. It takes {string.Join(", ", known)}.");
            foreach (var name in needed)
                if (!json.TryGetProperty(name, out _)) Fault(at, $"The member {name} is needed.");
        }
        return fault is null;
    }

    // Others may be markup, or a misplaced secret.
    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= PlainNameMax && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    // The first one stays.
    private RuleDefinition? Fault(string at, string detail)
    {
        fault ??= new(at, detail);
        return null;
    }
}
