using Tally.Grains.EventLog;

namespace Tally.Silo.Pages;

/// <summary>Why something is not shown.</summary>
public enum Missing
{
    None,
    /// <summary>The database does not answer, or not in time.</summary>
    NotAnswered,
    /// <summary>It is known for fewer days.</summary>
    TooManyDays,
    /// <summary>It is not counted by action.</summary>
    ByAction,
    /// <summary>It is not counted by this dimension.</summary>
    ByFilter,
    /// <summary>It takes long, and is asked for by itself.</summary>
    Later,
    /// <summary>The API refuses it.</summary>
    Refused,
}

/// <summary>What is shown, or why it is not.</summary>
public sealed record Shown<T>(T? Value, Missing Why = Missing.None)
{
    public static implicit operator Shown<T>(Missing why) => new(default, why);
}

internal static class Shown
{
    /// <summary>Asks for one part of a page, which is shown also without it.</summary>
    public static async Task<Shown<T>> Try<T>(HttpContext context, Func<Task<T>> ask)
    {
        try
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            return new(await ask());
        }
        catch (RefusedException refused)
        {
            return refused.Refusal switch
            {
                { Status: StatusCodes.Status503ServiceUnavailable } => Missing.NotAnswered,
                { Reason: "too_many_days" } => Missing.TooManyDays,
                _ => Missing.Refused,
            };
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or OperationCanceledException)
        {
            return Missing.NotAnswered;
        }
    }
}
