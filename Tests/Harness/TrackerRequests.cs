using System.Text;

namespace Tally.Tests.Harness;

/// <summary>What trackers send, as a visitor with a user agent and an address behind a proxy.</summary>
public static class TrackerRequests
{
    public const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";

    /// <param name="contentType">Null sends none.</param>
    /// <param name="address">The visitor's, as a trusted proxy names it.</param>
    /// <param name="headers">Others.</param>
    /// <returns>The status, and the body's text.</returns>
    public static async Task<(int Status, string Body)> Track(this AppProcess app, string path, string body,
        string? contentType = "text/plain", string address = "203.0.113.1",
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        };
        if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return await app.Track(request, address, headers);
    }

    public static async Task<(int Status, string Body)> Track(this AppProcess app, HttpRequestMessage request,
        string address = "203.0.113.1", params (string Name, string Value)[] headers)
    {
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", address);
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[("User-Agent", Firefox), .. headers])
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await app.Http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Asserts a problem document with this status, reason and field.</summary>
    public static void AssertRefused(this (int Status, string Body) answer, int status, string reason,
        string? field = null)
    {
        Assert.True(answer.Status == status && answer.Body.Contains($"\"reason\":\"{reason}\"")
            && (field is null || answer.Body.Contains($"\"field\":\"{field}\"")),
            $"{answer.Status} instead of {status} {reason} {field}: {answer.Body}");
    }
}
