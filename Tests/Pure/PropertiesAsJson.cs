using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Tally.Contracts;
using Tally.Silo.Http.Json;

namespace Tally.Tests.Pure;

/// <summary>
/// Properties are compared as JSON values, however they are written, and every database takes what is kept of them.
/// </summary>
public sealed class PropertiesAsJson
{
    private static readonly Gen<JsonNode?> Leaf = Gen.OneOf(
        Gen.OneOf(Gen.String[Gen.Char.AlphaNumeric, 0, 8], OneOf("😀", "é", "\u2028", "\"", "\\u0000", "<"))
            .Select(text => (JsonNode?)JsonValue.Create(text)),
        Gen.Int.Select(number => (JsonNode?)JsonValue.Create(number)),
        Gen.Bool.Select(value => (JsonNode?)JsonValue.Create(value)),
        Gen.Const((JsonNode?)null));

    private static readonly Gen<JsonObject> Properties =
        Object(Gen.OneOf(Leaf, Object(Gen.OneOf(Leaf, Array(Leaf))).Select(one => (JsonNode?)one), Array(Leaf)));

    [Fact]
    public void White_space_order_and_escapes_make_no_difference() =>
        Gen.Select(Properties, Gen.Int).Sample((properties, seed) =>
    {
        var text = properties.ToJsonString();
        var rewritten = Rewritten(properties, new Random(seed));
        Assert.True(EventProperties.AreEqual(text, rewritten), $"{text} and {rewritten}");
        Assert.True(
            EventProperties.AreEqual(text, PropertiesJson.With(rewritten, EventProperties.ClientTimestamp, "any")));
        Assert.Null(PropertiesJson.Normalize(rewritten, 1 << 20, out var kept));
        Assert.Equal(rewritten, kept); // unchanged
    });

    [Fact]
    public void Another_value_makes_one() =>
        Gen.Select(Properties, Properties).Where((a, b) => !JsonNode.DeepEquals(a, b))
        .Sample((a, b) => !EventProperties.AreEqual(a.ToJsonString(), b.ToJsonString()));

    [Theory]
    [InlineData("""{"a":1}""", """{"a":1.0}""", true)]
    [InlineData("""{"a":1e400}""", """{"a":10e399}""", true)]
    [InlineData("""{"a":12345678901234567890}""", """{"a":12345678901234567891}""", false)]
    [InlineData("""{"a":"1"}""", """{"a":1}""", false)]
    [InlineData("""{"a":null}""", "{}", false)]
    [InlineData("{}", null, true)]
    [InlineData(null, """{"$timestamp":"x"}""", true)]
    [InlineData("""{"$timestamp":"x","a":1}""", """{"a":1,"$timestamp":"y"}""", true)]
    [InlineData("""{"a":{"$timestamp":"x"}}""", """{"a":{"$timestamp":"y"}}""", false)]
    [InlineData("-", null, false)] // what a load returns in place of long ones
    [InlineData("-", "-", true)]
    [InlineData("[]", "{}", false)]
    public void Equality_is_of_values(string? a, string? b, bool equal)
    {
        Assert.Equal(equal, EventProperties.AreEqual(a, b));
        Assert.Equal(equal, EventProperties.AreEqual(b, a));
    }

    // Half surrogate pairs, U+0000 and repeated keys, all of it nested.
    [Fact]
    public void What_is_kept_every_database_takes_and_keeps_as_it_is() =>
        OneOf("\\ud83d", "\\ude00", "\\u0000", "\\\\u0000", "a", "\\\"", "\\u0061", "é", "\ud83d", "\ude00").Array[0,
            6].Array[1, 6].Sample(parts =>
        {
            var texts = parts.Select(part => string.Concat(part)).ToArray();
            var members =
                texts.Select((text, i) =>
                    $"\"{text}\":{(i % 2 == 0 ? $"\"{text}\"" : $"{{\"{text}\":[\"{text}\"],\"{text}\":0}}")}");
            Assert.Null(PropertiesJson.Normalize($"{{{string.Join(',', members)}}}", 1 << 20, out var kept));
            new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(kept!);
            using var document = JsonDocument.Parse(kept!, new() { AllowDuplicateProperties = false });
            // reading a text would throw at half a pair
            Assert.All(Texts(document.RootElement), text => Assert.DoesNotContain('\0', text));
            Assert.Null(PropertiesJson.Normalize(kept!, 1 << 20, out var again));
            Assert.Equal(kept, again);
        });

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static Gen<JsonObject> Object(Gen<JsonNode?> value) =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 3], value).Array[0, 4].Select(members =>
    {
        var all = new JsonObject();
        foreach (var (name, one) in members) all[name] = one?.DeepClone();
        return all;
    });

    private static Gen<JsonNode?> Array(Gen<JsonNode?> value) =>
        value.Array[0, 3].Select(items => (JsonNode?)new JsonArray([.. items.Select(item => item?.DeepClone())]));

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Texts(member.Value).Prepend(member.Name)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        JsonValueKind.String => [value.GetString()!],
        _ => [],
    };

    // The same value, written differently.
    private static string Rewritten(JsonNode? node, Random random)
    {
        var space = random.Next(3) switch { 0 => " ", 1 => "\n\t", _ => "" };
        return node switch
        {
            null => "null",
            JsonObject members => "{" + space + string.Join(',' + space, members.OrderBy(_ => random.Next())
                .Select(member => $"{Escaped(member.Key, random)}{space}:{Rewritten(member.Value, random)}")) + "}",
            JsonArray items => "[" + string.Join(',', items.Select(item => space + Rewritten(item, random))) + "]",
            _ when node.GetValueKind() == JsonValueKind.String => Escaped(node.GetValue<string>(), random),
            _ when node.GetValueKind() == JsonValueKind.Number =>
                node.ToJsonString() + (random.Next(2) == 0 ? ".0" : "e0"),
            _ => node.ToJsonString(),
        };
    }

    private static string Escaped(string text, Random random) => "\"" + string.Concat(text.Select(c =>
        random.Next(3) == 0 || c < ' ' || c is '"' or '\\' || char.IsSurrogate(c)
            ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}") : c.ToString())) + "\"";
}
