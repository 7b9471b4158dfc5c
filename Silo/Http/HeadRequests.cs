namespace Tally.Silo.Http;

/// <summary>
/// HEAD is answered by each endpoint that answers GET, with the same status and headers; the server leaves the body out by
/// itself. An endpoint whose answer has no end, or is made while it is sent, asks <see cref="AsksHeadAlone"/>.
/// </summary>
internal static class HeadRequests
{
    public static void AnswerHead(this RouteGroupBuilder group) => ((IEndpointConventionBuilder)group).Finally(endpoint =>
    {
        if (endpoint.Metadata.OfType<HttpMethodMetadata>().LastOrDefault() is { HttpMethods: [var method] } && HttpMethods.IsGet(method))
            endpoint.Metadata.Add(new HttpMethodMetadata([HttpMethods.Get, HttpMethods.Head]));
    });

    /// <summary>Whether only the head of the answer is asked for. HEAD must not change anything (RFC 9110, 9.2.1).</summary>
    public static bool AsksHeadAlone(this HttpContext context) => HttpMethods.IsHead(context.Request.Method);
}
