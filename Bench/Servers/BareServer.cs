namespace Tally.Bench.Servers;

/// <summary>The HTTP server and nothing behind it: the ceiling of all that is built on it.</summary>
internal static class BareServer
{
    public static Task Run(int port)
    {
        var app = BenchServer.CreateBuilder(port).Build();
        app.MapEvents(form => Task.FromResult<IResult>(
            TypedResults.Ok(new
            {
                id = Guid.CreateVersion7(), fingerprint = form.Fingerprint, sequence = 1,
                duplicate = false
            })));
        // An answer of the size and shape that Tally gives to the same question.
        var seen = DateTime.UtcNow;
        app.MapGet("/api/fingerprints/{fingerprint}", (string fingerprint) => TypedResults.Ok(new
        {
            fingerprint,
            total = 1,
            sequence = 1,
            firstSeen = seen,
            lastSeen = seen,
            counts = new[] { new { product = "k8s", action = "view", count = 1, firstSeen = seen, lastSeen = seen } },
        }));
        return app.RunAsync();
    }
}
