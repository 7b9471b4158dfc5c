using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tally.Tests.Harness;

/// <summary>A website with its own origin: its host name differs from Tally's, as the browser sees it.</summary>
public sealed class Website : IAsyncDisposable
{
    private const string Modules = "/node_modules/";

    private readonly WebApplication app;

    private Website(WebApplication app, int port) => (this.app, Origin) = (app, $"http://localhost:{port}");

    public string Origin { get; }

    /// <summary>
    /// Every page /PRODUCT/... has the script tag, and a policy that allows nothing else. <c>?isolated</c> makes the
    /// page cross-origin isolated, so it loads only what any page may load; <c>?tag=</c> sets the tag's attributes;
    /// <c>?again=</c> adds a tag of that product, with <c>&amp;collector</c> from Tally's other address.
    /// </summary>
    /// <param name="tally">Tally's address on the loopback.</param>
    /// <param name="writeKey">
    /// The key in every tag, unless the page is requested with another one: <c>?key=</c>.
    /// </param>
    public static Task<Website> WithTags(string tally, string writeKey) => Start(context =>
    {
        context.Response.ContentType = "text/html";
        var (query, headers) = (context.Request.Query, context.Response.Headers);
        var (isolated, other) = (query.ContainsKey("isolated"),
            query.ContainsKey("collector") ? tally.Replace("127.0.0.1", "localhost") : tally);
        headers.ContentSecurityPolicy =
            $"default-src 'none'; img-src data: {(isolated ? tally + "/api/pixel.gif" : "")}; script-src {tally}/tally.js {other}/tally.js; "
            + $"connect-src {tally}/api/events {other}/api/events; require-trusted-types-for 'script'; trusted-types 'none'";
        if (isolated)
            (headers["Cross-Origin-Embedder-Policy"], headers["Cross-Origin-Opener-Policy"]) = ("require-corp",
                "same-origin");
        var product = context.Request.Path.Value!.Split('/')[1];
        string Tag(string source, string of) =>
            $"""<script {query["tag"].FirstOrDefault("defer")} src="{source}/tally.js" data-product="{of}" data-key="{query["key"].FirstOrDefault(writeKey)}"></script>""";
        return context.Response.WriteAsync($"""
            <!doctype html><html lang="en"><head><title>{product}</title><link rel="icon" href="data:,">
            {Tag(tally, product)}{string.Concat(query["again"].Select(again => Tag(other, again!)))}</head></html>
            """);
    });

    /// <summary>
    /// Its empty pages can import packages from npm as modules: <c>import('/node_modules/PACKAGE/FILE')</c>.
    /// </summary>
    /// <param name="folder">The one that has <c>node_modules</c>.</param>
    public static Task<Website> WithModules(string folder) => Start(context =>
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

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private static async Task<Website> Start(RequestDelegate answer)
    {
        var port = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return new(app, port);
    }
}
