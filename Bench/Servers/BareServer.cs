namespace Tally.Bench.Servers;

/// <summary>The HTTP server with nothing behind it: the ceiling for everything built on it.</summary>
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
        // An answer with the size and shape of Tally's.
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
