using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tally.Tests.Harness;

/// <summary>
/// Somebody's site, on an origin of its own: every page /PRODUCT/... has the script tag, and a policy that allows nothing
/// else than it.
/// </summary>
public sealed class Website : IAsyncDisposable
{
    private readonly WebApplication app;

    private Website(WebApplication app, int port) => (this.app, Origin) = (app, $"http://localhost:{port}");

    /// <summary>As the browser calls it: another host than Tally's.</summary>
    public string Origin { get; }

    /// <param name="tallyPort">Where Tally will serve, on the loopback's address.</param>
    /// <param name="writeKey">In every tag, unless the page is asked for with another: <c>?key=</c>.</param>
    public static async Task<Website> Start(int tallyPort, string writeKey)
    {
        var tally = $"http://127.0.0.1:{tallyPort}";
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.Run(context =>
        {
            context.Response.ContentType = "text/html";
            context.Response.Headers.ContentSecurityPolicy = $"default-src 'none'; img-src data:; script-src {tally}/tally.js; "
                + $"connect-src {tally}/api/events; require-trusted-types-for 'script'; trusted-types 'none'";
            var product = context.Request.Path.Value!.Split('/')[1];
            return context.Response.WriteAsync($"""
                <!doctype html><html lang="en"><head><title>{product}</title><link rel="icon" href="data:,">
                <script defer src="{tally}/tally.js" data-product="{product}" data-key="{(context.Request.Query["key"] is [var key] ? key : writeKey)}"></script></head></html>
                """);
        });
        await app.StartAsync();
        return new(app, port);
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
