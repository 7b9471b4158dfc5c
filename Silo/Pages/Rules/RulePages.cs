using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Rules;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Silo.Webhooks;

namespace Tally.Silo.Pages.Rules;

/// <summary>Makes the pages of rules, and does what their forms ask for, as the API does it.</summary>
internal sealed class RulePages(SqlStorage storage, ProductNames products, AccessKeys keys, KeyTries keyTries,
    RuleSecrets secrets, WebhookSample sample, SampleTries sampleTries, Limits limits, TimeProvider clock)
{
    private const string RowsMax = "50";
    private const int FormBytesMax = 16 * 1024;

    /// <summary>What a form did.</summary>
    private sealed record Done(string? Said = null, string? Secret = null, string? Problem = null, int Status = 200);

    public Task<IResult> ShowAll(HttpContext context) => ShowAll(context, RuleForm.Empty, null, 200);

    public Task<IResult> ShowOne(HttpContext context, string name) => ShowOne(context, name, new());

    public async Task<IResult> Put(HttpContext context)
    {
        if (await PageForms.Read(context.Request, FormBytesMax) is not { } fields) return PageForms.Malformed();
        var form = RuleForm.Parse(fields);
        if (WhyNot(context, fields) is { } not) return await ShowAll(context, form, not.Problem, not.Status);
        if (new RulePath(form.Name ?? "").Refusal is { } badName)
            return await ShowAll(context, form, badName.Detail, badName.Status);
        if (form.ToRule(limits, out var rule) is { } fault)
        {
            var invalid = Refusal.InvalidRule(fault);
            return await ShowAll(context, form, $"{fault.Place} {fault.Detail}", invalid.Status);
        }
        return await RuleEndpoints.Keep(context, form.Name!, rule!, storage, secrets, limits, clock) switch
        {
            JsonAnswer<RuleView> { Value: var kept } => await ShowOne(context, kept.Name, new(Secret: kept.Secret)),
            Refusal refusal => await ShowAll(context, form, refusal.Detail, refusal.Status),
            var other => other,
        };
    }

    public Task<IResult> Test(HttpContext context) => Do(context, async name =>
        (await DeliveryEndpoints.Test(context, new(name), storage, sample, sampleTries)).Result switch
        {
            JsonAnswer<SampleAnswer> { Value: { Delivered: true } one } => new(TextsOf(context).SampleWent(one)),
            JsonAnswer<SampleAnswer> { Value: var one } => new(Problem: TextsOf(context).SampleWent(one)),
            var refusal => Refused(refusal),
        });

    public Task<IResult> Replay(HttpContext context) => Do(context, async name =>
        (await DeliveryEndpoints.Replay(name, null, null, storage, limits)).Result switch
        {
            JsonAnswer<ReplayAnswer> { Value: var one } => new(TextsOf(context).SentAgain(one.Replayed)),
            var refusal => Refused(refusal),
        });

    public Task<IResult> MakeSecret(HttpContext context) => Do(context, async name =>
        (await DeliveryEndpoints.Replace(context, new(name), storage, secrets)).Result switch
        {
            JsonAnswer<NewSecret> { Value: var made } => new(Secret: made.Secret),
            var refusal => Refused(refusal),
        });

    public Task<IResult> End(HttpContext context) => Do(context, async name =>
        (await RuleEndpoints.Delete(new(name), storage, secrets, clock)).Result switch
        {
            JsonAnswer<RuleView> => new(),
            var refusal => Refused(refusal),
        });

    private async Task<IResult> Do(HttpContext context, Func<string, Task<Done>> act)
    {
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        if (form.One(RulePageEndpoints.Name) is not { } name || !RulePath.IsName(name)) return PageForms.Malformed();
        return await ShowOne(context, name, WhyNot(context, form) ?? await act(name));
    }

    // A session alone changes nothing.
    private Done? WhyNot(HttpContext context, IFormCollection form)
    {
        if (!keys.GuardRules) return null;
        if (!keyTries.TryTake(context))
            return new(Problem: TextsOf(context).TooManyTries, Status: StatusCodes.Status429TooManyRequests);
        return context.RefusesToRule(form.One("key") ?? "") is { } refusal
            ? new(Problem: TextsOf(context).NoRuleKey, Status: refusal.Status) : null;
    }

    private static Done Refused(IResult result) =>
        result is Refusal refusal ? new(Problem: refusal.Detail, Status: refusal.Status)
            : throw new InvalidOperationException("Neither an answer nor a refusal.");

    private async Task<IResult> ShowAll(HttpContext context, RuleForm form, string? problem, int status) =>
        await PagesEndpoints.Render<RulesPage>(context, new()
        {
            [nameof(RulesPage.Rules)] =
                (await RuleEndpoints.List(storage)).Shown().Rules.Select(ShownRule.From).ToList(),
            [nameof(RulesPage.Firings)] = await Firings(context, null),
            [nameof(RulesPage.State)] = context.Request.Query.One(RulePageEndpoints.State),
            [nameof(RulesPage.Products)] = await products.Read(),
            [nameof(RulesPage.Actions)] = await products.ReadActions(null),
            [nameof(RulesPage.Form)] = form,
            [nameof(RulesPage.Problem)] = problem,
            [nameof(RulesPage.NeedsKey)] = keys.GuardRules,
        }, status);

    private async Task<IResult> ShowOne(HttpContext context, string name, Done done)
    {
        var found = (await RuleEndpoints.Get(new(name), storage)).Result;
        return await PagesEndpoints.Render<RulePage>(context, new()
        {
            [nameof(RulePage.Name)] = name,
            [nameof(RulePage.Rule)] = found is JsonAnswer<RuleView> { Value: var view } ? ShownRule.From(view) : null,
            [nameof(RulePage.Firings)] = await Firings(context, name),
            [nameof(RulePage.State)] = context.Request.Query.One(RulePageEndpoints.State),
            [nameof(RulePage.NeedsKey)] = keys.GuardRules,
            [nameof(RulePage.Said)] = done.Said,
            [nameof(RulePage.Secret)] = done.Secret,
            [nameof(RulePage.Problem)] = done.Problem,
        }, done.Status);
    }

    private async Task<FiringsPage> Firings(HttpContext context, string? rule)
    {
        var query = context.Request.Query;
        return (await FiringEndpoint.List(context, rule, null, query.One(RulePageEndpoints.State), RowsMax,
            query.One("after"), storage, limits)).Shown();
    }

    private static Words.Texts TextsOf(HttpContext context) => PageContext.From(context).Texts;
}
