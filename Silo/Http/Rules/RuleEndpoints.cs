using System.Buffers;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;
using Tally.Silo.Http.Access;
using Tally.Silo.Storage;
using Tally.Silo.Webhooks;

namespace Tally.Silo.Http.Rules;

/// <summary>/api/rules: what is to happen when a fingerprint does something.</summary>
internal static class RuleEndpoints
{
    private const int DryRunDaysDefault = 30;
    private const string SchemaType = "application/schema+json";

    private static readonly EmbeddedFile Schema = new(EmbeddedFile.Read("rule.schema.json"), SchemaType);
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    public static void MapRules(this IEndpointRouteBuilder routes, Limits limits)
    {
        var group = routes.MapGroup("/api/rules").AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits));
        group.MapGet("", List)
            .WithName("GetRules")
            .WithSummary("List the rules in force by name");
        group.MapGet("/{name}", Get)
            .WithName("GetRule")
            .WithSummary("Look at a rule")
            .ProducesRefusals(404);
        routes.MapGet("/api/rules/" + RulePath.Schema, FileContentHttpResult (HttpContext context) =>
            Schema.Answer(context, "no-cache")).ExcludeFromDescription();
    }

    /// <summary>Those that change rules.</summary>
    public static void MapRuleChanges(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/rules").RefuseCrossSite();
        group.MapPut("/{name}", Put)
            .WithName("PutRule")
            .WithSummary("Put a rule in force")
            .WithDescription("The body is JSON, as /api/rules/schema describes it. A rule of this name is replaced: "
                + "the version counts on, and what fingerprints did before does not count for it. An equal rule stays "
                + "as it is. Every silo uses it within 2 s. With dryRun=true nothing is changed: the answer says what "
                + "the rule would have done with the log's events that occurred since from, by default 30 days ago.")
            .Produces<RuleView>()
            .Produces<RuleView>(StatusCodes.Status201Created)
            .ProducesRefusals(408, 413, 415);
        group.MapDelete("/{name}", Delete)
            .WithName("DeleteRule")
            .WithSummary("End a rule")
            .WithDescription("Answers with what was in force. Its firings stay.")
            .ProducesRefusals(404);
    }

    internal static async Task<Results<JsonAnswer<RulesAnswer>, Refusal>> List(SqlStorage storage) =>
        new JsonAnswer<RulesAnswer>(new([.. (await storage.ReadRules()).Select(RuleView.From)]),
            HttpJson.Default.RulesAnswer);

    internal static async Task<Results<JsonAnswer<RuleView>, Refusal>> Get(RulePath path, SqlStorage storage)
    {
        if (path.Refusal is { } badName) return badName;
        if (await storage.ReadRules(path.Name) is not [var rule]) return Refusal.UnknownRule();
        return new JsonAnswer<RuleView>(RuleView.From(rule), HttpJson.Default.RuleView);
    }

    // An IResult, because the description shows one answer for a status.
    internal static async Task<IResult> Put(HttpContext context, RulePath path, string? dryRun, string? from,
        SqlStorage storage, RuleSecrets secrets, LargeBodyLimiter bodies,
        Limits limits, TimeProvider clock)
    {
        if (path.Refusal is { } badName) return badName;
        if (dryRun is not (null or "true" or "false"))
            return Refusal.UnknownValue("dryRun", "true or false, or left out");
        var isDry = dryRun == "true";
        var now = DatabaseTime.From(clock.GetUtcNow());
        if (from is not null && !isDry)
            return Refusal.UnknownValue("from", "left out without dryRun=true: a rule is about what is recorded later");
        if (QueryValue.ParseTime("from", from, storage.Calendar, now.AddDays(-DryRunDaysDefault), out var first)
            is { } badFrom) return badFrom;
        var (definition, badBody) = await ReadBody(context.Request, bodies, limits);
        if (badBody is not null) return badBody;
        return isDry ? await RunDry(definition!, DateTime.SpecifyKind(first, DateTimeKind.Utc), now, storage,
            context.RequestAborted) : await Keep(context, path.Name, definition!, storage, secrets, limits, clock);
    }

    private static async Task<IResult> RunDry(
        RuleDefinition definition, DateTime from, DateTime now, SqlStorage storage, CancellationToken ended)
    {
        try
        {
            // on another thread, because SQLite's calls block
            return new JsonAnswer<DryRunAnswer>(
                await Task.Run(() => DryRun.Run(definition, from, now, storage, ended), ended),
                HttpJson.Default.DryRunAnswer);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or OperationCanceledException)
        {
            return Refusal.QuestionNotAnswered(); // nothing is open, as it would be for a change
        }
    }

    /// <summary>Puts a rule in force. Its first secret is in the answer, which no cache may keep.</summary>
    internal static async Task<IResult> Keep(HttpContext context, string name, RuleDefinition definition,
        SqlStorage storage, RuleSecrets secrets, Limits limits, TimeProvider clock)
    {
        var now = DatabaseTime.From(clock.GetUtcNow());
        var changed = await storage.PutRule(name, definition, now, limits.RulesMax, limits.RuleVersionsMax);
        if (changed.Change == RuleChange.TooManyRules) return Refusal.TooManyRules(limits.RulesMax);
        if (changed.Change == RuleChange.TooManyVersions) return Refusal.TooManyRuleVersions(limits.RuleVersionsMax);
        var secret = definition.Webhook is null ? null : await secrets.AddFirst(name);
        if (secret is not null) context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<RuleView>(RuleView.From(changed.Rule!) with { Secret = secret },
            HttpJson.Default.RuleView, changed.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    internal static async Task<Results<JsonAnswer<RuleView>, Refusal>> Delete(
        RulePath path, SqlStorage storage, RuleSecrets secrets, TimeProvider clock)
    {
        if (path.Refusal is { } badName) return badName;
        var now = DatabaseTime.From(clock.GetUtcNow());
        if (await storage.DeleteRule(path.Name, now) is not { } ended) return Refusal.UnknownRule();
        await secrets.Forget(path.Name);
        return new JsonAnswer<RuleView>(RuleView.From(ended), HttpJson.Default.RuleView);
    }

    private static async Task<(RuleDefinition? Rule, Refusal? Refusal)> ReadBody(
        HttpRequest request, LargeBodyLimiter bodies, Limits limits)
    {
        if (RequestBody.MediaTypeOf(request) != "application/json")
            return (null, Refusal.UnsupportedMediaType("application/json"));
        var (bytes, unread) = await RequestBody.ReadWhole(request, limits.RuleBytesMax, bodies);
        if (unread is not null) return (null, unread);
        try
        {
            var body = RequestBody.WithoutByteOrderMark(bytes).ToArray();
            _ = StrictUtf8.Encoding.GetCharCount(body); // throws if it is none
            using var json = JsonDocument.Parse(body, Strict);
            var fault = RuleReader.Read(json.RootElement, limits, out var rule);
            return (rule, fault is null ? null : Refusal.InvalidRule(fault));
        }
        // the second for half a surrogate pair in a member's name
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or DecoderFallbackException)
        {
            return (null, Refusal.MalformedBody("A rule is one JSON object in UTF-8, nested at most 16 levels deep, "
                + "in which no member comes twice."));
        }
        finally
        {
            request.BodyReader.AdvanceTo(bytes.End);
        }
    }
}

/// <summary>The rule's name in a path.</summary>
internal sealed record RulePath(string Name)
{
    /// <summary>No rule's name: the schema's path has it.</summary>
    public const string Schema = "schema";

    private const int CharactersMax = 64;

    public Refusal? Refusal => IsName(Name) ? null : Refusal.UnknownValue("name", Known);

    public static string Known => $"1 to {CharactersMax} letters, digits, - or _, and not {Schema}";

    public static bool IsName(string text) => text.Length is > 0 and <= CharactersMax && text != Schema
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    public static ValueTask<RulePath?> BindAsync(HttpContext context, ParameterInfo _) =>
        new(new RulePath((string)context.Request.RouteValues["name"]!));
}

/// <summary>All rules in force, by name.</summary>
public sealed record RulesAnswer(IReadOnlyList<RuleView> Rules);

/// <param name="Name">Unique.</param>
/// <param name="Version">From 1; each change has the next number.</param>
/// <param name="Begun">UTC: since when this version is in force.</param>
/// <param name="Disabled">UTC: since when its receiver wants no more; absent if it does.</param>
/// <param name="Rule">What it says.</param>
/// <param name="Secret">What signs its webhooks, if it was made now: it is told once.</param>
public sealed record RuleView(string Name, int Version, DateTime Begun, DateTime? Disabled,
    [property: JsonConverter(typeof(RawJson))] string Rule, string? Secret = null)
{
    internal static RuleView From(KeptRule kept) => new(kept.Rule.Name, kept.Rule.Version, kept.Begun, kept.Disabled,
        RuleJson.Write(kept.Rule.Definition));
}
