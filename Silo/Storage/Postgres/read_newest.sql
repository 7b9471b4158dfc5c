-- One statement, so one round trip and one moment. A fingerprint without events has what is left of it instead, where anything
-- is. The row without a fingerprint is there always: removals, and an action where some are suppressed. Subqueries and not joins,
-- so that each is a probe, whatever the planner knows of the tables. Properties are read to compare repeats with them: for long ones
-- a text stands that equals none, so that a load of many fingerprints stays small; such a repeat is compared by the log.
select asked.fingerprint, newest.sequence, newest.id, newest.action, newest.product,
       newest.created, newest.occurred,
       case when octet_length(newest.properties::text) <= 1024 then newest.properties::text when newest.properties is not null then '-' end,
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
select null, epoch, null, case when exists (select from suppressions) then 'suppressed' end, null, null, null, null, null
from removal_epoch
