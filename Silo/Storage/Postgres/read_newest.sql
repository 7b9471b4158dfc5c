-- One statement, so one round trip and one moment. A fingerprint without events has what is left of it instead, where anything
-- is. The row without a fingerprint is there always: removals, and an action where some are suppressed. Subqueries and not joins,
-- so that each is a probe, whatever the planner knows of the tables.
select asked.fingerprint, newest.sequence, newest.id, newest.action, newest.product,
       newest.created, newest.occurred, newest.properties::text,
       case when newest.sequence is null then (select p.state from pruned p where p.fingerprint = asked.fingerprint) end
from unnest(@fingerprints::text[]) as asked (fingerprint)
left join lateral (
    select * from events e
    where e.fingerprint = asked.fingerprint
    order by e.sequence desc limit @limit
) as newest on true
where newest.sequence is not null
   or (select p.sequence from pruned p where p.fingerprint = asked.fingerprint) is not null
union all
select null, number, null, case when exists (select from suppressions) then 'suppressed' end, null, null, null, null, null
from removals
