-- One statement, so one round trip and one moment. A fingerprint whose events are all pruned comes with their state.
-- One row without a fingerprint always comes: its sequence is the removal epoch, here 0, and it has an action if any
-- fingerprint is suppressed. Properties are compared with those of repeats. Long ones are replaced with a text that
-- equals none, so that a load of many fingerprints stays small; the log compares such a repeat.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred,
       case when octet_length(e.properties) <= 1024 then e.properties when e.properties is not null then '-' end, null,
       e.rules, e.matched
from json_each(@fingerprints) as asked
join events e on e.fingerprint = asked.value
where e.sequence > (select max(sequence) from events where fingerprint = asked.value) - @limit
union all
select p.fingerprint, null, null, null, null, null, null, null, p.state, null, null
from json_each(@fingerprints) as asked
cross join pruned p on p.fingerprint = asked.value
where not exists (select 1 from events where fingerprint = asked.value)
union all
select null, 0, null, case when exists (select 1 from suppressions) then 'suppressed' end, null, null, null, null, null, null, null
order by 1, 2 desc
