namespace Tally.Silo.Http;

/// <summary>
/// Every endpoint that answers GET answers HEAD, with the same status and headers; the server leaves the body out. An
/// endpoint whose answer has no end, or is made while it is sent, checks <see cref="IsHead"/>.
/// </summary>
internal static class HeadRequests
{
    public static void AnswerHead(this RouteGroupBuilder group) =>
        ((IEndpointConventionBuilder)group).Finally(endpoint =>
    {
        if (endpoint.Metadata.OfType<HttpMethodMetadata>().LastOrDefault() is { HttpMethods: [var method] }
            && HttpMethods.IsGet(method))
            endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
    });

    /// <summary>Whether the request is HEAD, which must not change anything (RFC 9110, 9.2.1).</summary>
    public static bool IsHead(this HttpContext context) => HttpMethods.IsHead(context.Request.Method);
}
