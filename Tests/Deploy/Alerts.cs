using System.Text.RegularExpressions;
using Tally.Tests.Harness;

namespace Tally.Tests.Deploy;

/// <summary>deploy/monitoring/alerts.yaml, without a service: <see cref="Monitoring"/> has one.</summary>
public sealed partial class Alerts
{
    private const string Cases = "deploy/monitoring/alerts.test.yaml";

    [Fact]
    public async Task Each_fires_for_its_reason_and_not_beside_it()
    {
        var promtool = Tool.Find("promtool", "Checking alerts", "prometheus");
        var (exitCode, output) = await Commands.Try(promtool, "check", "rules", Repository.File(AlertRule.File));
        Assert.True(exitCode == 0, output);
        (exitCode, output) = await Commands.Try(promtool, "test", "rules", Repository.File(Cases));
        Assert.True(exitCode == 0, output);
    }

    [Fact]
    public async Task Each_has_a_case_of_both_kinds()
    {
        var cases = CaseHead().Split(await File.ReadAllTextAsync(Repository.File(Cases)))[1..]
            .Select(text => (Name: text[..text.IndexOf('\n')], Text: text)).ToList();
        Assert.Equal(AlertRule.All.Select(alert => alert.Name).Order(), cases.Select(one => one.Name).Order());
        Assert.All(cases, one =>
        {
            Assert.Contains("\"good\"", one.Text);
            var expected = one.Text[one.Text.IndexOf("exp_samples", StringComparison.Ordinal)..];
            Assert.Contains("\"bad\"", expected);
            Assert.DoesNotContain("\"good\"", expected);
        });
    }

    [Fact]
    public async Task Each_bad_value_of_the_metrics_table_has_one()
    {
        var bad = MetricsRow().Matches(await File.ReadAllTextAsync(Repository.File("docs/reference/metrics.md")))
            .Where(row => row.Groups["bad"].Value.Trim().Length > 0).ToList();
        Assert.NotEmpty(bad);
        Assert.All(bad, row =>
        {
            var alerts = AlertRule.All.Where(alert => alert.Query.Contains("tally_" + row.Groups["name"].Value)).ToList();
            Assert.True(alerts.Count > 0, $"There is no alert on {row.Groups["name"].Value}.");
            Assert.All(Word().Matches(row.Groups["bad"].Value), word => Assert.Contains(alerts, alert =>
                alert.Query.Contains(word.Value.Trim('`')) || alert.Summary.Contains(word.Value.Trim('`'))));
        });
    }

    [Fact]
    public async Task Each_has_a_severity_and_a_place_in_the_runbook()
    {
        var headings = Heading().Matches(await File.ReadAllTextAsync(Repository.File("docs/operations.md")))
            .Select(heading => NotInAnchors().Replace(heading.Groups["text"].Value.ToLowerInvariant(), "").Replace(' ', '-'))
            .ToList();
        Assert.All(AlertRule.All, alert =>
        {
            Assert.Contains(alert.Severity, (string[])["critical", "warning", "info"]);
            Assert.Contains("docs/operations.md#", alert.Runbook);
            Assert.Contains(alert.Runbook.Split('#')[1], headings);
        });
    }

    [GeneratedRegex("^  - name: ", RegexOptions.Multiline)]
    private static partial Regex CaseHead();

    [GeneratedRegex(@"^\| `(?<name>\w+)`[^|]*\|[^|]*\|[^|]*\|(?<bad>[^|]*)\|$", RegexOptions.Multiline)]
    private static partial Regex MetricsRow();

    // What a refusal, an outcome or a limit is called.
    [GeneratedRegex("`(overloaded|unavailable|failed|Limits__(Batch|Queue|Load|Peer|Answer|Live)[A-Za-z]*Max)`")]
    private static partial Regex Word();

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("[^a-z0-9 -]")]
    private static partial Regex NotInAnchors();
}
