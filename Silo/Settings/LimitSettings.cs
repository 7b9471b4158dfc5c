using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Tally.Contracts;

namespace Tally.Silo.Settings;

/// <summary>Reads the limits that the configuration sets, mostly by variables such as Limits__QueueEventsMax.</summary>
internal static class LimitSettings
{
    /// <exception cref="UsageException">A name is no limit's, or a value is not in its range.</exception>
    public static Limits ReadLimits(this WebApplicationBuilder builder)
    {
        var limits = new Limits();
        foreach (var setting in builder.Configuration.GetSection(nameof(Limits)).GetChildren())
        {
            const BindingFlags ofAnyCase = BindingFlags.IgnoreCase | BindingFlags.Public | BindingFlags.Instance;
            var limit = typeof(Limits).GetProperty(setting.Key, ofAnyCase)
                ?? throw new UsageException($"Limits__{setting.Key}: there is no such limit");
            var range = limit.GetCustomAttribute<RangeAttribute>()!;
            if (!int.TryParse(setting.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || !range.IsValid(value))
                throw new UsageException($"Limits__{limit.Name}: expected a whole number from {range.Minimum} to {range.Maximum}");
            limit.SetValue(limits, value);
        }
        return limits;
    }
}
