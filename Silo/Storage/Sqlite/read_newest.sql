-- One statement, so one moment. A fingerprint without events has what is left of it instead, where anything is. The row without
-- a fingerprint is there always: removals, which are not counted here, and an action where some are suppressed. Properties are read
-- to compare repeats with them: for long ones a text stands that equals none, so that a load of many fingerprints stays small; such
-- a repeat is compared by the log.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred,
       case when octet_length(e.properties) <= 1024 then e.properties when e.properties is not null then '-' end, null
from json_each(@fingerprints) as asked
join events e on e.fingerprint = asked.value
where e.sequence > (select max(sequence) from events where fingerprint = asked.value) - @limit
union all
select p.fingerprint, null, null, null, null, null, null, null, p.state
from json_each(@fingerprints) as asked
cross join pruned p on p.fingerprint = asked.value
where not exists (select 1 from events where fingerprint = asked.value)
union all
select null, 0, null, case when exists (select 1 from suppressions) then 'suppressed' end, null, null, null, null, null
order by 1, 2 desc
