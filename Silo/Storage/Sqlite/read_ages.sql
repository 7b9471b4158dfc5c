-- Jumps from each fingerprint to the next by the log's key, and reads nothing between.
with recursive found (fingerprint) as (
    select min(fingerprint) from events where fingerprint > @after
    union all
    select (select min(e.fingerprint) from events e where e.fingerprint > found.fingerprint)
    from found where found.fingerprint is not null
    limit @limit
)
select fingerprint,
    (select e.created from events e where e.fingerprint = found.fingerprint order by e.sequence limit 1),
    (select e.occurred from events e where e.fingerprint = found.fingerprint order by e.sequence desc limit 1)
from found
where fingerprint is not null
