namespace Tally.Tests.Harness;

/// <summary>Waits for a condition by asking, never by sleeping for a guess.</summary>
public static class Eventually
{
    public static async Task True(Func<Task<bool>> condition, string otherwise, int seconds = 30)
    {
        var deadline = DateTime.UtcNow.AddSeconds(seconds);
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < deadline, otherwise);
            await Task.Delay(20);
        }
    }
}
