-- The events after each fingerprint's known one. After an erasure the known event is gone, or another event has its
-- place. After a pruning it is gone too, but the pruned state reaches as far.
select watched.fingerprint, next.sequence, next.id, next.action, next.product, next.created, next.occurred, next.properties::text,
    lost.is_erased
from unnest(@fingerprints::text[], @sequences::bigint[], @ids::uuid[]) as watched (fingerprint, sequence, id)
cross join lateral (
    select watched.sequence > 0
        and not exists (
            select from events e
            where e.fingerprint = watched.fingerprint and e.sequence = watched.sequence and e.id = watched.id)
        and not exists (
            select from pruned p
            where p.fingerprint = watched.fingerprint and p.sequence >= watched.sequence) as is_erased
) as lost
left join lateral (
    select e.*
    from events e
    where e.fingerprint = watched.fingerprint and e.sequence > watched.sequence
    order by e.sequence
    limit @limit
) as next on true
where next.sequence is not null or lost.is_erased
