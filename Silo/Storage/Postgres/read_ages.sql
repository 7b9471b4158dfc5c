-- Jumps from each fingerprint to the next by the log's key, and reads nothing between.
with recursive ages as (
    (select fingerprint, created from events
     where fingerprint > @after order by fingerprint, sequence limit 1)
    union all
    select next.fingerprint, next.created
    from ages cross join lateral (
        select e.fingerprint, e.created from events e
        where e.fingerprint > ages.fingerprint order by e.fingerprint, e.sequence limit 1
    ) as next
)
select found.fingerprint, found.created, (
    select e.occurred from events e where e.fingerprint = found.fingerprint order by e.sequence desc limit 1)
from (select fingerprint, created from ages limit @limit) as found
