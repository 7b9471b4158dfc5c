using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Cluster;
using Tally.Silo.Http.Verifications;
using Tally.Silo.Storage;

namespace Tally.Silo.Pages.Proofs;

/// <summary>GET /proof: whether an event and all counts hold. POST /proof begins a verification.</summary>
internal static class ProofEndpoints
{
    private const string Path = "/proof";

    public static void MapProofPage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, Get);
        routes.MapPost(Path, async (HttpContext context, Verifier verifier) =>
        {
            await verifier.Begin();
            return PageForms.GoTo(context, Path);
        });
    }

    private static async Task<IResult> Get(
        HttpContext context, Verifier verifier, ClusterView cluster, SqlStorage storage, Limits limits)
    {
        var id = context.Request.Query.One("id");
        return await PagesEndpoints.Render<ProofPage>(context, new()
        {
            [nameof(ProofPage.Id)] = id,
            [nameof(ProofPage.Found)] = id is null ? null : await Find(id, storage, limits, context.RequestAborted),
            [nameof(ProofPage.Verifications)] = await verifier.Read(),
            [nameof(ProofPage.Cluster)] = (await ClusterEndpoint.Get(context, null, cluster, limits)).Shown(),
        });
    }

    private static async Task<FoundEvent> Find(
        string id, SqlStorage storage, Limits limits, CancellationToken cancellation)
    {
        var answer = await ReceiptEndpoint.Find(id, null, null, storage, limits, cancellation);
        return answer.Result is Refusal { Status: not StatusCodes.Status503ServiceUnavailable } refusal
            ? new([], refusal.Status == StatusCodes.Status404NotFound ? null : refusal.Detail)
            : new(answer.Shown().Receipts, null);
    }
}

/// <summary>What the log has under an id.</summary>
/// <param name="Receipts">None if the id is not known.</param>
/// <param name="Problem">Why it is no id.</param>
public sealed record FoundEvent(IReadOnlyList<RecordedReceipt> Receipts, string? Problem);
