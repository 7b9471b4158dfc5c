using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers;

/// <summary>
/// The properties of an event, collected from what a tool sends. Of a name that comes twice, the first value counts.
/// What a page view has is named as Tally's own script names it, so that both are counted alike.
/// </summary>
internal sealed class TrackerProperties
{
    private const int ScreenStep = 512; // as in tally.js

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly OrderedDictionary<string, byte[]> members = [];

    /// <summary>Adds a text, unless it is empty.</summary>
    public void Add(string name, string? text)
    {
        if (string.IsNullOrEmpty(text)) return;
        var json = new ArrayBufferWriter<byte>(text.Length + 2);
        using (var writer = new Utf8JsonWriter(json, Writing)) writer.WriteStringValue(JsonText.WithoutHalves(text));
        members.TryAdd(name, json.WrittenSpan.ToArray());
    }

    public void Add(string name, long number) => AddNumber(name, number.ToString(CultureInfo.InvariantCulture));

    /// <param name="json">The number as JSON writes it.</param>
    public void AddNumber(string name, string json) => members.TryAdd(name, Encoding.UTF8.GetBytes(json));

    /// <summary>Adds any JSON as it was sent, unless it is missing or null.</summary>
    public void Add(string name, JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return;
        members.TryAdd(name, JsonMarshal.GetRawUtf8Value(value).ToArray());
    }

    /// <summary>Adds all members of an object; of anything else nothing.</summary>
    public void AddMembersOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return;
        foreach (var member in value.EnumerateObject()) Add(member.Name, member.Value);
    }

    /// <summary>Adds <c>path</c>, the campaign's <c>utm_…</c> and, if it is another site, <c>referrer</c>.</summary>
    /// <param name="page">Null if the event happened on no page.</param>
    /// <param name="referrer">An address, or any name of where the visitor came from.</param>
    /// <param name="host">The page's, for one that is a path alone.</param>
    public void AddPage(PageUrl? page, string? referrer, string? host = null)
    {
        if (page is not null)
        {
            Add("path", page.Path);
            foreach (var (name, value) in page.Campaign()) Add(name, value);
        }
        if (PageUrl.SiteOf(referrer) is { } site && site != (page?.Host ?? host)) Add("referrer", site);
    }

    /// <summary>Adds <c>screen</c>, the class of a width.</summary>
    /// <param name="size">Begins with the width in pixels, as in 1920, 1920x1080 or 1920,1080,2.</param>
    public void AddScreen(string? size)
    {
        var digits = size.AsSpan();
        var end = digits.IndexOfAnyExceptInRange('0', '9');
        if (int.TryParse(end < 0 ? digits : digits[..end], NumberStyles.None, CultureInfo.InvariantCulture,
            out var width) && width > 0) Add("screen", width / ScreenStep * ScreenStep);
    }

    /// <summary>The object's JSON, unchecked; null if it is empty.</summary>
    public string? ToJson()
    {
        if (members.Count == 0) return null;
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, Writing))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in members)
            {
                writer.WritePropertyName(name);
                writer.WriteRawValue(value, skipInputValidation: true);
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(json.WrittenSpan);
    }
}
