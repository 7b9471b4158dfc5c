using System.Text.Json;
using Tally.Contracts;
using Tally.Grains.Rules;

namespace Tally.Tests.Pure.Rules;

/// <summary>A rule's JSON: what is taken, how it is kept, and where a fault is.</summary>
public sealed class ReadingRules
{
    private const string A = """{"product":"p","action":"a"}""";

    /// <summary>Rules that are refused, each with the place of its fault.</summary>
    public static readonly IReadOnlyList<(string Rule, string Place)> Bad =
    [
        ("1", ""), ("[]", ""), ("{}", ""), ("""{"when":1}""", "/when"), ("""{"when":{}}""", "/when"),
        ($$$$"""{"when":{"event":{{{{A}}}}}}""", "/when"),
        ($$$$"""{"when":{"event":{{{{A}}}},"count":"first","then":{"event":{{{{A}}}},"within":"PT1H"}}}""", "/when"),
        ($$$$"""{"when":{"event":{{{{A}}}},"count":"first"},"what":1}""", "/what"),
        ($$$$"""{"when":{"event":{{{{A}}}},"count":"first"},"<b>":1}""", ""),
        ($$$$"""{"when":{"event":{{{{A}}}},"count":"first","to":1}}""", "/when/to"),
        ("""{"when":{"event":1,"count":"first"}}""", "/when/event"),
        ("""{"when":{"event":{"action":"a"},"count":"first"}}""", "/when/event"),
        ("""{"when":{"event":{"product":"","action":"a"},"count":"first"}}""", "/when/event/product"),
        ("""{"when":{"event":{"product":"p","action":7},"count":"first"}}""", "/when/event/action"),
        ("""{"when":{"event":{"product":"p","action":"a\u0000"},"count":"first"}}""", "/when/event/action"),
        ("""{"when":{"event":{"product":"p","action":"\ud800"},"count":"first"}}""", "/when/event/action"),
        ($$$$"""{"when":{"event":{"product":"p","action":"{{{{new string('x', 257)}}}}"},"count":"first"}}""",
            "/when/event/action"),
        (Where("1"), "/when/event/where"), (Where("[1]"), "/when/event/where/0"),
        (Where("""[{"property":"x","is":1},{"property":"x"}]"""), "/when/event/where/1"),
        (Where("""[{"property":"x","is":1,"or":2}]"""), "/when/event/where/0/or"),
        (Where("""[{"property":"","is":1}]"""), "/when/event/where/0/property"),
        (Where("""[{"property":"x","is":null}]"""), "/when/event/where/0/is"),
        (Where("""[{"property":"x","is":[1]}]"""), "/when/event/where/0/is"),
        (Where($$$$"""[{"property":"x","is":1{{{{new string('0', 40)}}}}}]"""), "/when/event/where/0/is"),
        (Where($$$$"""[{"property":"x","is":"{{{{new string('é', 129)}}}}"}]"""), "/when/event/where/0/is"),
        (Where($"[{string.Join(',', Enumerable.Repeat("""{"property":"x","is":1}""", 9))}]"), "/when/event/where"),
        (Count("\"last\""), "/when/count"), (Count("1"), "/when/count"), (Count("{}"), "/when/count"),
        (Count("""{"every":1}"""), "/when/count/every"), (Count("""{"every":1000001}"""), "/when/count/every"),
        (Count("""{"every":2.5}"""), "/when/count/every"), (Count("""{"every":"2"}"""), "/when/count/every"),
        (Count("""{"every":2,"within":"PT1H"}"""), "/when/count/within"),
        (Count("""{"times":3}"""), "/when/count"), (Count("""{"within":"PT1H"}"""), "/when/count"),
        (Count("""{"times":1,"within":"PT1H"}"""), "/when/count/times"),
        (Count("""{"times":101,"within":"PT1H"}"""), "/when/count/times"),
        .. new[] { "PT59S", "PT1M0.5S", "P30DT1S", "P1M", "P1Y", "1h", "-PT1H", "", "PT", "P9999999999D", "PT1H " }
            .Select(within => (Count($$$$"""{"times":2,"within":"{{{{within}}}}"}"""), "/when/count/within")),
        ($$$$"""{"when":{"event":{{{{A}}}},"then":{"event":{{{{A}}}}}}}""", "/when/then"),
        ($$$$"""{"when":{"event":{{{{A}}}},"then":{"event":{"product":"p"},"within":"PT1H"}}}""", "/when/then/event"),
        ($$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{{{{A}}}},"within":60}}}""", "/when/without/within"),
        ($$$$"""{"when":{"event":{{{{A}}}},"silence":"PT1H"}}""", "/when/silence"),
        ($$$$"""{"when":{"event":{{{{A}}}},"silence":{"within":"PT1S"}}}""", "/when/silence/within"),
        ($$$$"""{"when":{"event":{{{{A}}}},"silence":{"within":"PT1H","event":{{{{A}}}}}}}""", "/when/silence/event"),
        ($$$$"""{"when":{"event":{{{{A}}}},"silence":{"within":"PT1H"},"count":"first"}}""", "/when"),
        ("""{"when":{"event":{"product":"p","action":"a","where":[{"property":"x","is":1}]},"silence":{"within":"PT1H"}}}""",
            "/when/event/where"),
        (With("\"how\":\"twice\""), "/how"), (With("\"how\":null"), "/how"), (With("\"webhook\":null"), "/webhook"),
        (With("\"webhook\":{}"), "/webhook"), (With("\"webhook\":{\"url\":1}"), "/webhook/url"),
        (With("\"webhook\":{\"url\":\"https://x.example\",\"ordered\":1}"), "/webhook/ordered"),
        (With("\"webhook\":{\"url\":\"https://x.example\",\"secret\":\"x\"}"), "/webhook/secret"),
        .. new[] { "", "x.example", "/a", "ftp://x.example", "file:///etc/passwd", "https://", "javascript:alert(1)",
            "https://user:secret@x.example", "https://user@x.example", "http://x.example/\\u0000",
            "https://x.example/" + new string('x', 2_000) }
            .Select(url => (With($"\"webhook\":{{\"url\":\"{url}\"}}"), "/webhook/url")),
    ];

    private static string Where(string filters) =>
        $$$$"""{"when":{"event":{"product":"p","action":"a","where":{{{{filters}}}}},"count":"first"}}""";

    private static string Count(string count) => $$$$"""{"when":{"event":{{{{A}}}},"count":{{{{count}}}}}}""";

    private static string With(string member) => $$$$"""{"when":{"event":{{{{A}}}},"count":"first"},{{{{member}}}}}""";

    [Fact]
    public void A_bad_rule_is_refused_with_its_place() => Assert.All(Bad, bad =>
        Assert.Equal((bad.Rule, bad.Place), (bad.Rule, Read(bad.Rule, out _)?.Place)));

    [Fact]
    public void Equal_rules_are_kept_as_equal_texts()
    {
        foreach (var (given, kept) in ((string, string)[])
                 [
                     (Count("\"first\""), $$$$"""{"when":{"event":{{{{A}}}},"count":"first"},"how":"once"}"""),
                     (""" { "how" : "each", "when" : { "count" : {"within":"PT600S","times":3}, "event": { "action":"a", "where":[], "product":"p" } } } """,
                         $$$$"""{"when":{"event":{{{{A}}}},"count":{"times":3,"within":"PT10M"}},"how":"each"}"""),
                     ($$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{"product":"é\u003c","action":"b"},"within":"PT720H"}},"how":"daily","webhook":{"url":"https://x.example"}}""",
                         $$$$"""{"when":{"event":{{{{A}}}},"without":{"event":{"product":"é<","action":"b"},"within":"P30D"}},"how":"daily","webhook":{"url":"https://x.example","ordered":false}}"""),
                     ($$$$"""{"when":{"silence":{"within":"PT90M"},"event":{{{{A}}}}},"how":"each"}""",
                         $$$$"""{"when":{"event":{{{{A}}}},"silence":{"within":"PT1H30M"}},"how":"each"}"""),
                     (Where("""[{"is":1.50,"property":"x"},{"property":"y","is":""},{"property":"z","is":true}]"""),
                         Where("""[{"property":"x","is":1.50},{"property":"y","is":""},{"property":"z","is":true}]""")[..^1] + ",\"how\":\"once\"}"),
                 ])
        {
            Assert.Null(Read(given, out var rule));
            Assert.Equal(kept, RuleJson.Write(rule!));
            Assert.Equal(kept, RuleJson.Write(RuleJson.Parse(kept)));
        }
    }

    [Theory]
    [InlineData("1", "1.0", true), InlineData("1", "\"1\"", false), InlineData("\"pro\"", "\"pr\\u006f\"", true)]
    [InlineData("true", "true", true), InlineData("true", "false", false), InlineData("\"\"", "null", false)]
    [InlineData("1", "[1]", false)]
    public void A_property_is_equal_as_a_JSON_value(string wanted, string given, bool isEqual)
    {
        Assert.Null(Read(Where($$$$"""[{"property":"x","is":{{{{wanted}}}}}]"""), out var rule));
        var set = new RuleSet(1, [new(7, "r", 1, rule!)]);
        foreach (var (properties, expected) in ((string?, bool)[])
            [($$$$"""{"y":1,"x":{{{{given}}}}}""", isEqual), (null, false), ("{}", false), ("-", false), ("[]", false)])
            Assert.Equal(expected ? "[[7,1]]" : null, set.Mark(
                new(Guid.NewGuid(), "a", "p", DateTime.UtcNow, DateTime.UtcNow, properties))!.Text);
    }

    [Fact]
    public void A_firing_has_the_same_id_for_ever()
    {
        Assert.Equal("fir_6247ec1a280bf8a06d84df717405cc3e", FiringId.Create("wo", 1, "b", 1));
        Assert.NotEqual(FiringId.Create("a", 11, "b", 1), FiringId.Create("a1", 1, "b", 1));
    }

    [Fact]
    public void What_no_program_wrote_matches_nothing()
    {
        foreach (var text in (string[])["", "x", "1", "[1]", "[[1]]", "[[\"1\",1]]", "[[1.5,1]]", "{}", "null"])
            Assert.Empty(EventMarks.Parse(RuleSet.None, text).Matches);
    }

    private static RuleFault? Read(string json, out RuleDefinition? rule)
    {
        using var document = JsonDocument.Parse(json);
        return RuleReader.Read(document.RootElement, new Limits(), out rule);
    }
}
