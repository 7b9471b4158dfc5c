using Tally.Contracts;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Funnels;

/// <summary>What makes a funnel, as a query writes it.</summary>
internal static class FunnelParameters
{
    private const string WithinDefault = "7d";

    /// <param name="funnel">Without a name.</param>
    /// <returns>Why it is refused, or null.</returns>
    public static Refusal? Parse(string? steps, string? product, string? within, Dimensions dimensions, Limits limits,
        out KeptFunnel funnel)
    {
        funnel = new("", [], product, default);
        if (string.IsNullOrEmpty(steps)) return Refusal.MissingField("steps");
        if (FunnelSteps.Parse(steps, dimensions) is not { Count: > 1 } parsed || parsed.Count > limits.FunnelStepsMax)
            return Refusal.InvalidSteps(limits.FunnelStepsMax);
        if (parsed.Select(step => EventFields.CheckText("steps", step.Action, limits.ActionBytesMax))
            .FirstOrDefault(refusal => refusal is not null) is { } badAction) return badAction;
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (ShortDuration.Parse(within ?? WithinDefault, limits.FunnelWithinDaysMax) is not { } window)
            return Refusal.UnknownValue("within",
                $"a length of time such as 30m, 12h or 7d, of at most {limits.FunnelWithinDaysMax} days");
        funnel = funnel with { Steps = parsed, Within = window };
        return null;
    }
}
