-- One statement, so one round trip and one moment. A fingerprint whose events are all pruned comes with their state.
-- One row without a fingerprint always comes: its sequence is the removal epoch, and it has an action if any
-- fingerprint is suppressed. Properties are compared with those of repeats. Long ones are replaced with a text that
-- equals none, so that a load of many fingerprints stays small; the log compares such a repeat. Subqueries and not
-- joins, so that each is one index probe, whatever statistics the planner has.
select asked.fingerprint, newest.sequence, newest.id, newest.action, newest.product,
       newest.created, newest.occurred,
       case when octet_length(newest.properties::text) <= 1024 then newest.properties::text when newest.properties is not null then '-' end,
       case when newest.sequence is null then (select p.state from pruned p where p.fingerprint = asked.fingerprint) end,
       newest.rules, newest.matched
from unnest(@fingerprints::text[]) as asked (fingerprint)
left join lateral (
    select * from events e
    where e.fingerprint = asked.fingerprint
    order by e.sequence desc limit @limit
) as newest on true
where newest.sequence is not null
   or (select p.sequence from pruned p where p.fingerprint = asked.fingerprint) is not null
union all
select null, epoch, null, case when exists (select from suppressions) then 'suppressed' end, null, null, null, null, null, null, null
from removal_epoch
