using System.Security.Cryptography;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.Features;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Http;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Access;
using Tally.Silo.Settings;

namespace Tally.Silo.Pages;

/// <summary>POST /sign-in takes a read key and gives a session; POST /sign-out ends it.</summary>
internal static class SignIn
{
    private const int BodyBytesMax = 4_096;
    private const int TriesPerMinuteMax = 10;

    public static void MapSignIn(this IEndpointRouteBuilder routes, Limits limits)
    {
        var tries = PartitionedRateLimiter.Create<HttpContext, int>(context =>
            RateLimitPartition.GetFixedWindowLimiter(ClientAddress.Bucket(context, limits.AddressBucketsMax), _ =>
                new() { PermitLimit = TriesPerMinuteMax, Window = TimeSpan.FromMinutes(1) }));
        routes.MapPost("/sign-in", (HttpContext context, AccessKeys keys) => Try(context, keys, tries))
            .ExcludeFromDescription();
        routes.MapPost("/sign-out", async (HttpContext context) =>
        {
            await context.SignOut();
            return SeeOther(context, "/");
        }).ExcludeFromDescription();
    }

    /// <summary>Asks for a read key.</summary>
    /// <param name="to">Where to go then.</param>
    public static Task<IResult> Ask(HttpContext context, string to, int status = 401, string? problem = null) =>
        PagesEndpoints.Render<SignInPage>(context, status, new()
        {
            [nameof(SignInPage.To)] = to,
            [nameof(SignInPage.Problem)] = problem,
        });

    private static async Task<IResult> Try(
        HttpContext context, AccessKeys keys, PartitionedRateLimiter<HttpContext> tries)
    {
        using var turn = tries.AttemptAcquire(context);
        if (!turn.IsAcquired)
            return await Ask(context, "/", StatusCodes.Status429TooManyRequests, "Too many tries. Wait a minute.");
        if (await ReadForm(context.Request) is not { } form)
            return Refusal.MalformedBody("The body is not the sign-in form.");
        var to = form["to"] is [{ } asked] && IsLocal(asked) ? asked : "/";
        try
        {
            return form["key"] is [{ } key] && await context.SignIn(keys, key) ? SeeOther(context, to)
                : await Ask(context, to, problem: "That is not a read key of this server.");
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CryptographicException)
        {
            return await Ask(context, to, StatusCodes.Status503ServiceUnavailable,
                "The database does not answer. Try again.");
        }
    }

    private static async Task<IFormCollection?> ReadForm(HttpRequest request)
    {
        if (!request.HasFormContentType || request.ContentLength is not <= BodyBytesMax) return null;
        try
        {
            return await request.ReadFormAsync(new FormOptions { BufferBodyLengthLimit = BodyBytesMax });
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or NotSupportedException)
        {
            return null;
        }
    }

    // Not to another site: "//host" and "/\host" are one for a browser.
    private static bool IsLocal(string address) => address == "/"
        || address.StartsWith("/?", StringComparison.Ordinal) && address.All(c => c is > ' ' and < '\x7f');

    private static IResult SeeOther(HttpContext context, string to)
    {
        context.Response.Headers.Location = to;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }
}
