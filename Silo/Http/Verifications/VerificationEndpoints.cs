using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.Verifications;

/// <summary>/api/verifications: proofs that counters are the fold of the log.</summary>
internal static class VerificationEndpoints
{
    public static void MapVerifications(this IEndpointRouteBuilder routes, Limits limits)
    {
        var group = routes.MapGroup("/api/verifications").RefuseCrossSite();
        group.AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits));
        group.MapGet("", Get)
            .WithName("GetVerifications")
            .WithSummary("Whether counters equal the log, as far as that was proven")
            .WithDescription("Tells of the verification that runs, of the last one that held, and of the last 20.");
        group.MapPost("", Post)
            .WithName("PostVerification")
            .WithSummary("Begin to prove that counters equal the log")
            .WithDescription("Answers 202 with the verification that began. While one runs, on whichever silo, answers "
                + "200 with that one.")
            .Produces<Verification>(StatusCodes.Status202Accepted);
    }

    private static async Task<Results<JsonAnswer<VerificationsAnswer>, Refusal>> Get(Verifier verifier) =>
        new JsonAnswer<VerificationsAnswer>(await verifier.Read(), HttpJson.Default.VerificationsAnswer);

    private static async Task<Results<JsonAnswer<Verification>, Refusal>> Post(Verifier verifier)
    {
        var (verification, isNew) = await verifier.Begin();
        return new JsonAnswer<Verification>(verification, HttpJson.Default.Verification,
            isNew ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);
    }
}
