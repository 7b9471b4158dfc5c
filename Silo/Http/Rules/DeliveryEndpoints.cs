using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Http.Access;
using Tally.Silo.Storage;
using Tally.Silo.Webhooks;

namespace Tally.Silo.Http.Rules;

/// <summary>A rule's new secret.</summary>
/// <param name="Rule">The rule's name.</param>
/// <param name="Secret">Told only now. The one before signs beside it for 24 hours.</param>
public sealed record NewSecret(string Rule, string Secret);

/// <summary>What a receiver said to a sample.</summary>
/// <param name="Id">The sample's webhook-id.</param>
/// <param name="Delivered">Whether it answered with a status of 200 to 299.</param>
/// <param name="Status">Its status; absent if it did not answer.</param>
/// <param name="Problem">Why it is not delivered.</param>
/// <param name="Milliseconds">How long it took.</param>
public sealed record SampleAnswer(string Id, bool Delivered, int? Status, string? Problem, long Milliseconds);

/// <summary>How many firings are pending again.</summary>
/// <param name="Replayed">How many.</param>
/// <param name="More">Whether there may be others: ask again.</param>
public sealed record ReplayAnswer(int Replayed, bool More);

/// <summary>What belongs to a rule's webhooks: their secret, a sample, and firings that are to be sent again.</summary>
internal static class DeliveryEndpoints
{
    private const string Parked = "parked";

    /// <summary>Those that answer at once.</summary>
    public static void MapDelivery(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("").RefuseCrossSite();
        group.MapPost("/api/rules/{name}/secret", Replace)
            .WithName("PostRuleSecret")
            .WithSummary("Make a new secret for a rule's webhooks")
            .WithDescription("It is told this once. The one before signs beside it for 24 hours, so that the receiver "
                + "can change over.")
            .ProducesRefusals(404, 409);
        group.MapPost("/api/firings/replay", Replay)
            .WithName("PostReplay")
            .WithSummary("Send firings again")
            .WithDescription("Those of a rule, or of one fingerprint, that are parked, or with state=delivered those "
                + "that were delivered: the oldest first, and a bounded number. They keep their ids.")
            .ProducesRefusals(404, 409);
    }

    /// <summary>The one that waits for a receiver, as long as a try may take.</summary>
    public static void MapSample(this IEndpointRouteBuilder routes) =>
        routes.MapGroup("").RefuseCrossSite().MapPost("/api/rules/{name}/test", Test)
            .WithName("PostRuleTest")
            .WithSummary("Send a sample to a rule's receiver")
            .WithDescription("Now, signed as firings are, with an id that begins with fir_test_. Answers what became "
                + "of it. 10 a minute for an address.")
            .ProducesRefusals(404, 409);

    internal static async Task<Results<JsonAnswer<NewSecret>, Refusal>> Replace(
        HttpContext context, RulePath path, SqlStorage storage, RuleSecrets secrets)
    {
        if (path.Refusal is { } badName) return badName;
        if (WhyNot(await storage.ReadTarget(path.Name)) is { } refusal) return refusal;
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<NewSecret>(new(path.Name, await secrets.Replace(path.Name)), HttpJson.Default.NewSecret);
    }

    internal static async Task<Results<JsonAnswer<ReplayAnswer>, Refusal>> Replay(
        string? rule, string? fingerprint, string? state, SqlStorage storage, Limits limits)
    {
        if (string.IsNullOrEmpty(rule)) return Refusal.MissingField("rule");
        if (!RulePath.IsName(rule)) return Refusal.UnknownValue("rule", RulePath.Known);
        if (QueryValue.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax) is { } badFingerprint)
            return badFingerprint;
        if (state is not (null or Parked or "delivered"))
            return Refusal.UnknownValue("state", "parked or delivered, or left out for parked");
        var target = await storage.ReadTarget(rule);
        if (WhyNot(target) is { } refusal) return refusal;
        if (target!.IsDisabled) return Refusal.RuleDisabled();
        var replayed = await storage.ReplayFirings(rule, fingerprint, state ?? Parked, limits.ReplayFiringsMax);
        return new JsonAnswer<ReplayAnswer>(new(replayed, replayed == limits.ReplayFiringsMax),
            HttpJson.Default.ReplayAnswer);
    }

    internal static async Task<Results<JsonAnswer<SampleAnswer>, Refusal>> Test(HttpContext context, RulePath path,
        SqlStorage storage, WebhookSample sample, SampleTries tries)
    {
        if (path.Refusal is { } badName) return badName;
        if (!tries.TryTake(context)) return Refusal.TooManyTests();
        if (!await tries.AtOnce.WaitAsync(TimeSpan.Zero)) return Refusal.TooManyTests();
        try
        {
            if (WhyNot(await storage.ReadTarget(path.Name)) is { } refusal) return refusal;
            if (await sample.Send(path.Name, context.RequestAborted) is not var (id, outcome))
                return Refusal.NoWebhook();
            return new JsonAnswer<SampleAnswer>(new(id, outcome.IsDelivered, outcome.Status, outcome.Problem,
                (long)outcome.Time.TotalMilliseconds), HttpJson.Default.SampleAnswer);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException
            || exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            return Refusal.QuestionNotAnswered();
        }
        finally
        {
            tries.AtOnce.Release();
        }
    }

    private static Refusal? WhyNot(RuleTarget? inForce) => inForce is null ? Refusal.UnknownRule()
        : WebhookTarget.Parse(inForce.Definition) is null ? Refusal.NoWebhook() : null;
}
