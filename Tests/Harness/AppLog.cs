namespace Tally.Tests.Harness;

/// <summary>What an operator reads of an outage.</summary>
public static class AppLog
{
    // Far above what an outage should say, far below a line for each batch or request: those are thousands.
    private const int LinesMax = 60;

    public static void AssertCalmAndDiscreet(AppProcess app)
    {
        var lines = app.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{lines.Length} lines of log:\n{string.Join('\n', lines.Select(line => line[..Math.Min(line.Length, 240)]).Take(20))}");
        Assert.DoesNotContain(LocalPostgres.Password, app.Output);
        Assert.DoesNotContain(Load.HotPrefix, app.Output); // fingerprints are people's
        Assert.True(lines.Length <= LinesMax, $"{lines.Length} lines of log in one outage.");
    }
}
