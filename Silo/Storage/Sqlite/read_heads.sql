select asked.value, coalesce(
    (select max(e.sequence) from events e where e.fingerprint = asked.value),
    (select p.sequence from pruned p where p.fingerprint = asked.value)) as head
from json_each(@fingerprints) as asked
where head is not null
