namespace Tally.Tests.Harness;

/// <summary>Checks what an operator reads in the log during an outage.</summary>
public static class AppLog
{
    // Far more than an outage should need, far less than a line for each batch or request: those are thousands.
    private const int LinesMax = 60;

    public static void AssertCalmAndDiscreet(AppProcess app)
    {
        var lines = app.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{lines.Length} lines of log:\n{string.Join('\n', lines.Select(line => line[..Math.Min(line.Length, 240)]).Take(20))}");
        Assert.DoesNotContain(LocalPostgres.Password, app.Output);
        Assert.DoesNotContain(Load.HotPrefix, app.Output); // fingerprints are personal data
        Assert.True(lines.Length <= LinesMax, $"{lines.Length} lines of log in one outage.");
    }
}
