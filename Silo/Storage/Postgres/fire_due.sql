-- Rules that have ended fire no more. How often a rule fires is decided here and not by its fold, which does not know
-- whether the clock came before a late event.
insert into firings (rule, fingerprint, sequence, occurred, head, state, next_attempt)
select due.rule, due.fingerprint, due.sequence, due.occurred,
    coalesce(
        (select e.sequence from events e where e.fingerprint = due.fingerprint order by e.sequence desc limit 1),
        (select p.sequence from pruned p where p.fingerprint = due.fingerprint)),
    case when due.is_told then 'pending' else 'recorded' end, case when due.is_told then statement_timestamp() end
from (
    select ruled.*, row_number() over (
        partition by ruled.fingerprint, ruled.rule,
            case ruled.how when 'each' then ruled.sequence when 'daily' then ruled.day - date '1970-01-01' else 0 end
        order by ruled.sequence) as place
    from (
        select taken.*, (taken.occurred at time zone 'UTC')::date as day, r.definition::json ->> 'how' as how,
            r.definition::json -> 'webhook' is not null as is_told
        from unnest(@rules::bigint[], @fingerprints::text[], @sequences::bigint[], @occurred::timestamptz[])
            as taken (rule, fingerprint, sequence, occurred)
        join rules r on r.id = taken.rule and r.ended is null
    ) as ruled
) as due
where due.place = 1 and not exists (
    select from firings f
    where f.fingerprint = due.fingerprint and f.rule = due.rule
        and (due.how = 'once' or due.how = 'daily' and (f.occurred at time zone 'UTC')::date = due.day))
on conflict do nothing
returning rule, fingerprint, sequence
