using System.ComponentModel.DataAnnotations;
using Tally.Contracts;

namespace Tally.Silo.Settings;

/// <summary>
/// Binds the limits that the configuration sets, mostly by variables such as Limits__QueueEventsMax. The database needs
/// them before there is a host, so they are validated here and not by its ValidateOnStart.
/// </summary>
internal static class LimitSettings
{
    /// <exception cref="UsageException">A limit does not exist, or its value is not in its range.</exception>
    public static Limits BindLimits(this IConfiguration configuration)
    {
        var limits = new Limits();
        try
        {
            configuration.GetSection(nameof(Limits)).Bind(limits, binder => binder.ErrorOnUnknownConfiguration = true);
            Validator.ValidateObject(limits, new(limits), validateAllProperties: true);
            return limits;
        }
        catch (Exception exception) when (exception is InvalidOperationException or ValidationException)
        {
            throw new UsageException($"Limits: {exception.Message}");
        }
    }
}
