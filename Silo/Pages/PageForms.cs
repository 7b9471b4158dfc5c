using Microsoft.AspNetCore.Http.Features;
using Tally.Silo.Http;

namespace Tally.Silo.Pages;

/// <summary>Small forms that the pages post. Their answer is the way to a page.</summary>
internal static class PageForms
{
    private const int BodyBytesMax = 4_096;

    /// <returns>Null if the body is no form, or too large to be one of a page.</returns>
    public static async Task<IFormCollection?> Read(HttpRequest request, int bytesMax = BodyBytesMax)
    {
        if (!request.HasFormContentType || request.ContentLength is not { } length || length > bytesMax) return null;
        try
        {
            return await request.ReadFormAsync(new FormOptions { BufferBodyLengthLimit = bytesMax });
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or NotSupportedException)
        {
            return null;
        }
    }

    public static Refusal Malformed() => Refusal.MalformedBody("The body is not a form of these pages.");

    /// <summary>Where the form says to go.</summary>
    public static IResult GoTo(HttpContext context, IFormCollection form) => GoTo(context, AddressIn(form));

    public static IResult GoTo(HttpContext context, string to)
    {
        context.Response.Headers.Location = to;
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>A page of this server.</summary>
    public static string AddressIn(IFormCollection form) => form["to"] is [{ } to] && IsLocal(to) ? to : "/";

    // Not to another site: "//host" and "/\host" are one for a browser.
    private static bool IsLocal(string address) =>
        address is ['/', ..] && address is not ['/', '/' or '\\', ..] && address.All(c => c is > ' ' and < '\x7f');
}
