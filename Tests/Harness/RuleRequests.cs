using System.Text;

namespace Tally.Tests.Harness;

internal static class RuleRequests
{
    public static Task<Answer> PutRule(this IServing app, string name, string rule, string? key = null)
    {
        var request = Put(name, Encoding.UTF8.GetBytes(rule), "application/json");
        if (key is not null) request.Headers.Add("Authorization", "Bearer " + key);
        return app.Send(request);
    }

    public static HttpRequestMessage Put(string name, byte[] body, string type)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, "/api/rules/" + name)
        {
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        return request;
    }
}
