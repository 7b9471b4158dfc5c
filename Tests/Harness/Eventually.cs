namespace Tally.Tests.Harness;

/// <summary>Waits for a condition by asking, never by sleeping for a guess.</summary>
public static class Eventually
{
    public static Task True(Func<Task<bool>> condition, string otherwise, int seconds = 30) =>
        True(condition, () => otherwise, seconds);

    /// <param name="condition">Asked until it holds.</param>
    /// <param name="otherwise">Says what is wrong, as it is when time is up.</param>
    /// <param name="seconds">Until then.</param>
    public static async Task True(Func<Task<bool>> condition, Func<string> otherwise, int seconds = 30)
    {
        var deadline = DateTime.UtcNow.AddSeconds(seconds);
        while (!await condition())
        {
            if (DateTime.UtcNow > deadline) Assert.Fail(otherwise());
            await Task.Delay(20);
        }
    }
}
