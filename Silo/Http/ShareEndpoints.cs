using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>Shared views, by name.</summary>
public sealed record SharesAnswer(IReadOnlyList<Share> Shares);

/// <summary>A new shared view.</summary>
/// <param name="Path">Of its page on this server. Told this once: the server keeps only a hash.</param>
public sealed record NewShare(string Name, string Product, DateTime Created, string Path);

/// <summary>/api/shares: links that show one product's counts to people without a key.</summary>
internal static class ShareEndpoints
{
    /// <summary>The path of the pages; a slash and a token follow.</summary>
    public const string PagePath = "/shared";

    private const int TokenBytes = 24;

    public static void MapShares(this IEndpointRouteBuilder routes, Limits limits)
    {
        var group = routes.MapGroup("/api/shares").AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits));
        group.MapGet("", List)
            .WithName("GetShares")
            .WithSummary("List the shared views by name")
            .WithDescription("Without their links, which nobody keeps.");
        group.MapPut("", Put)
            .WithName("PutShare")
            .WithSummary("Share a product's counts by a link")
            .WithDescription(
                "Whoever has the link sees the product's overview, and nothing else. The link is told this once. A "
                + "share of the same name gets a new link, and its old one ends.");
        group.MapDelete("", Delete)
            .WithName("DeleteShare")
            .WithSummary("End a shared view")
            .WithDescription("Answers with what was removed. Its link shows nothing any more, at once.")
            .ProducesRefusals(404);
    }

    /// <summary>The shared view of a link's token; null if there is none.</summary>
    public static Task<Share?> Find(SqlStorage storage, string token) => storage.FindShare(HashOf(token));

    internal static async Task<Results<JsonAnswer<SharesAnswer>, Refusal>> List(SqlStorage storage)
    {
        return new JsonAnswer<SharesAnswer>(new(await storage.ReadShares()), HttpJson.Default.SharesAnswer);
    }

    internal static async Task<Results<JsonAnswer<NewShare>, Refusal>> Put(
        string? name, string? product, SqlStorage storage, Limits limits, TimeProvider clock)
    {
        if (EventFields.CheckText("name", name, limits.ShareNameBytesMax) is { } badName) return badName;
        if (EventFields.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        var share = new Share(name!, product!, DatabaseTime.From(clock.GetUtcNow()));
        if (!await storage.PutShare(share, HashOf(token), limits.SharesMax))
            return Refusal.TooManyShares(limits.SharesMax);
        return new JsonAnswer<NewShare>(
            new(share.Name, share.Product, share.Created, $"{PagePath}/{token}"), HttpJson.Default.NewShare);
    }

    internal static async Task<Results<JsonAnswer<Share>, Refusal>> Delete(
        string? name, SqlStorage storage, Limits limits)
    {
        if (EventFields.CheckText("name", name, limits.ShareNameBytesMax) is { } badName) return badName;
        if (await storage.DeleteShare(name!) is not { } removed) return Refusal.UnknownShare();
        return new JsonAnswer<Share>(removed, HttpJson.Default.Share);
    }

    // A token is random and long, so its hash needs no salt.
    private static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
