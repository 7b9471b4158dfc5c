using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Silo.Storage;

/// <summary>A rule in force.</summary>
/// <param name="Begun">UTC: events that are decided about from then on count.</param>
/// <param name="Disabled">UTC: when its receiver said that it wants no more; null if it did not.</param>
public sealed record KeptRule(Rule Rule, DateTime Begun, DateTime? Disabled);

/// <summary>What became of a change of rules.</summary>
public enum RuleChange
{
    /// <summary>There is a new version.</summary>
    Changed,
    /// <summary>It is as it was.</summary>
    Kept,
    /// <summary>As many rules are in force as may be.</summary>
    TooManyRules,
    /// <summary>There were as many versions as may be.</summary>
    TooManyVersions,
}

/// <param name="Rule">As it is now; null if there are too many.</param>
/// <param name="IsNew">No rule of this name was in force before.</param>
public sealed record RuleChanged(RuleChange Change, KeptRule? Rule = null, bool IsNew = false);

/// <summary>Rules, and the sets in which they are in force.</summary>
public abstract partial class SqlStorage
{
    private readonly string readRuleSets = scripts["read_rule_sets"];
    private readonly string readRuleVersions = scripts["read_rule_versions"];
    private readonly string readRules = scripts["read_rules"];
    private readonly string countRules = scripts["count_rules"];
    private readonly string endRule = scripts["end_rule"];
    private readonly string addRule = scripts["add_rule"];
    private readonly string addRuleSet = scripts["add_rule_set"];

    /// <summary>What this process knows of rules.</summary>
    public RuleBook Rules { get; } = new();

    /// <summary>Reads what has changed. The newest set is in force here from then on.</summary>
    public async Task RefreshRules()
    {
        var (rule, set) = Rules.Known;
        // In this order: what a set names was there before it.
        var sets = await Query(readRuleSets, ReadRuleSet, Parameter("id", set));
        if (sets.Count == 0) return;
        Rules.Add(await Query(readRuleVersions, ReadRule, Parameter("id", rule)), sets);
    }

    /// <summary>Rules in force, by name.</summary>
    /// <param name="name">Only this one; null for all.</param>
    public async Task<IReadOnlyList<KeptRule>> ReadRules(string? name = null) =>
        await Query(readRules, ReadKeptRule, Optional("name", name));

    /// <summary>Puts a rule in force, in place of another one of its name. An equal one stays.</summary>
    /// <param name="now">UTC.</param>
    public async Task<RuleChanged> PutRule(
        string name, RuleDefinition definition, DateTime now, int rulesMax, int versionsMax)
    {
        var text = RuleJson.Write(definition);
        var changed = await Remove([], _ => Task.FromResult(true), async (at, _) =>
        {
            await LockRules(at);
            var before = (await Query(at, readRules, ReadKeptRule, Parameter("name", name))).FirstOrDefault();
            if (before is not null && RuleJson.Write(before.Rule.Definition) == text)
                return new(RuleChange.Kept, before);
            var (inForce, versions) =
                (await Query(at, countRules, row => (row.GetInt64(0), row.GetInt64(1))))[0];
            if (before is null && inForce >= rulesMax) return new(RuleChange.TooManyRules);
            if (versions >= versionsMax) return new(RuleChange.TooManyVersions);
            await Execute(at, endRule, Parameter("name", name), Time("now", now));
            var rule = (await Query(at, addRule, ReadKeptRule,
                Parameter("name", name), Parameter("definition", text), Time("now", now)))[0];
            await Execute(at, addRuleSet);
            if (definition.Kind == RuleKind.Silence)
                await AddSilence(at, rule.Rule.Id, RollupKey.MinuteOf(now),
                    Silence.DueAt(RollupKey.MinuteOf(now), definition.Within));
            return new RuleChanged(RuleChange.Changed, rule, before is null);
        });
        if (changed!.Change == RuleChange.Changed) await RefreshRules();
        return changed;
    }

    /// <summary>Ends a rule.</summary>
    /// <param name="now">UTC.</param>
    /// <returns>What was in force, or null.</returns>
    public async Task<KeptRule?> DeleteRule(string name, DateTime now)
    {
        var ended = await Remove([], _ => Task.FromResult(true), async (at, _) =>
        {
            await LockRules(at);
            if (await Query(at, readRules, ReadKeptRule, Parameter("name", name)) is not [var rule]) return null;
            await Execute(at, endRule, Parameter("name", name), Time("now", now));
            await Execute(at, addRuleSet);
            return rule;
        });
        if (ended is not null) await RefreshRules();
        return ended;
    }

    // One that cannot be read comes from a later version of this program, while silos are updated one after another.
    // Until this one is, it stays with the rules that it knows.
    private static Rule ReadRule(DbDataReader row)
    {
        try
        {
            return new(row.GetInt32(0), row.GetString(1), row.GetInt32(2), RuleJson.Parse(row.GetString(3)));
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            throw new EventLogUnavailableException("A rule cannot be read.", exception);
        }
    }

    private KeptRule ReadKeptRule(DbDataReader row) =>
        new(ReadRule(row), ReadTime(row, 4), row.IsDBNull(5) ? null : ReadTime(row, 5));

    private static (int, IReadOnlyList<int>) ReadRuleSet(DbDataReader row) => (row.GetInt32(0),
        [.. row.GetString(1).Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(id => int.Parse(id, CultureInfo.InvariantCulture))]);

    /// <summary>Until the transaction ends, nobody else changes rules.</summary>
    protected virtual Task LockRules(DbTransaction at) => Task.CompletedTask;

    // The marks of a row whose event is folded. A set that is not known was made since the last look: the caller reads
    // it, and asks again.
    private static EventMarks? ReadMarks(DbDataReader row, int column, RuleBook book)
    {
        if (row.IsDBNull(column)) return null;
        var set = row.GetInt32(column);
        return EventMarks.Parse(book.Find(set) ?? throw new UnknownRuleSetException(set),
            row.IsDBNull(column + 1) ? null : row.GetString(column + 1));
    }

    // A load so learns of the newest rules that its fingerprint's events know, before it decides about the next one.
    private async Task<T> KnowingRules<T>(Func<Task<T>> read)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await read();
            }
            catch (UnknownRuleSetException) when (attempt == 1)
            {
                await RefreshRules();
            }
            catch (UnknownRuleSetException unknown)
            {
                Rules.AddUnknown(unknown.Set);
            }
        }
    }

    private sealed class UnknownRuleSetException(int set) : Exception("The log names a set of rules that is not known.")
    {
        public int Set => set;
    }
}
