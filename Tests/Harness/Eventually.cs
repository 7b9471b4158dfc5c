namespace Tally.Tests.Harness;

/// <summary>Polls a condition instead of sleeping for a guessed time.</summary>
public static class Eventually
{
    public static Task True(Func<Task<bool>> condition, string otherwise, int seconds = 90) =>
        True(condition, () => otherwise, seconds);

    /// <param name="condition">Polled until it is true.</param>
    /// <param name="otherwise">Called when time is up: says what is wrong.</param>
    /// <param name="seconds">When time is up.</param>
    public static async Task True(Func<Task<bool>> condition, Func<string> otherwise, int seconds = 90)
    {
        var deadline = DateTime.UtcNow.AddSeconds(seconds);
        while (!await condition())
        {
            if (DateTime.UtcNow > deadline) Assert.Fail(otherwise());
            await Task.Delay(20);
        }
    }
}
