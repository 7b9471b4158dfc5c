using Tally.Grains.Rules;
using Tally.Silo.Http.Rules;

namespace Tally.Silo.Pages.Rules;

/// <summary>A rule in force, as the pages show it.</summary>
/// <param name="IsDisabled">Its receiver wants no more.</param>
/// <param name="Json">As the API has it.</param>
public sealed record ShownRule(string Name, int Version, DateTime Begun, bool IsDisabled, RuleDefinition Definition,
    string Json)
{
    /// <summary>Of its receiver; null if firings are only recorded.</summary>
    public string? Host => Definition.Webhook is { } webhook ? new Uri(webhook.Url).Authority : null;

    internal static ShownRule From(RuleView view) =>
        new(view.Name, view.Version, view.Begun, view.Disabled is not null, RuleJson.Parse(view.Rule), view.Rule);
}
