-- Rules that have ended fire no more. How often a rule fires is decided here and not by its fold, which does not know
-- whether the clock came before a late event.
insert into firings (rule, fingerprint, sequence, occurred, head, fired, state, next_attempt)
select due.rule, due.fingerprint, due.sequence, due.occurred,
    coalesce(
        (select max(e.sequence) from events e where e.fingerprint = due.fingerprint),
        (select p.sequence from pruned p where p.fingerprint = due.fingerprint)),
    now.fired, case when due.is_told then 'pending' else 'recorded' end, case when due.is_told then now.fired end
from (
    select ruled.*, row_number() over (
        partition by ruled.fingerprint, ruled.rule,
            case ruled.how when 'each' then ruled.sequence when 'daily' then ruled.day else 0 end
        order by ruled.sequence) as place
    from (
        select @rules ->> taken.key as rule, taken.value as fingerprint, @sequences ->> taken.key as sequence,
            @occurred ->> taken.key as occurred, substr(@occurred ->> taken.key, 1, 10) as day,
            r.definition ->> 'how' as how, r.definition -> 'webhook' is not null as is_told
        from json_each(@fingerprints) as taken
        join rules r on r.id = @rules ->> taken.key and r.ended is null
    ) as ruled
) as due
cross join (select strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') as fired) as now
where due.place = 1 and not exists (
    select 1 from firings f
    where f.fingerprint = due.fingerprint and f.rule = due.rule
        and (due.how = 'once' or due.how = 'daily' and substr(f.occurred, 1, 10) = due.day))
on conflict do nothing
returning rule, fingerprint, sequence
