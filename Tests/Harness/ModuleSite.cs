using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tally.Tests.Harness;

/// <summary>
/// A website with its own origin, whose empty pages can import packages from npm as modules:
/// <c>import('/node_modules/PACKAGE/FILE')</c>.
/// </summary>
public sealed class ModuleSite : IAsyncDisposable
{
    private const string Modules = "/node_modules/";

    private readonly WebApplication app;

    private ModuleSite(WebApplication app, int port) => (this.app, Origin) = (app, $"http://localhost:{port}");

    public string Origin { get; }

    /// <summary>A site with the packages of Tests/Sdk.</summary>
    public static async Task<ModuleSite> Start()
    {
        await NodePackages.Ready();
        return await Start(NodePackages.Folder);
    }

    /// <param name="folder">The one that has <c>node_modules</c>.</param>
    public static async Task<ModuleSite> Start(string folder)
    {
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.Run(context =>
        {
            var path = context.Request.Path.Value!;
            if (!path.StartsWith(Modules, StringComparison.Ordinal))
            {
                context.Response.ContentType = "text/html";
                return context.Response.WriteAsync(
                    "<!doctype html><html lang=en><head><title>A page</title><link rel=icon href=data:,></head></html>");
            }
            // bundlers find a module without its extension
            var file = Path.Combine(folder, path[1..]);
            context.Response.ContentType = "text/javascript";
            return context.Response.SendFileAsync(File.Exists(file) ? file : file + ".js");
        });
        await app.StartAsync();
        return new(app, port);
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
