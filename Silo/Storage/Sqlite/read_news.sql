-- The events after each fingerprint's known one. After an erasure the known event is gone, or another event has its
-- place. After a pruning it is gone too, but the pruned state reaches as far.
with watched (fingerprint, sequence, id) as (
    select asked.value, @sequences ->> asked.key, @ids ->> asked.key
    from json_each(@fingerprints) as asked
),
known (fingerprint, sequence, is_erased) as (
    select w.fingerprint, w.sequence, w.sequence > 0
        and not exists (select 1 from events e where e.fingerprint = w.fingerprint and e.sequence = w.sequence and e.id = w.id)
        and not exists (select 1 from pruned p where p.fingerprint = w.fingerprint and p.sequence >= w.sequence)
    from watched w
)
select k.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties, k.is_erased
from known k
left join events e on e.fingerprint = k.fingerprint and e.sequence in (
    select n.sequence from events n where n.fingerprint = k.fingerprint and n.sequence > k.sequence order by n.sequence limit @limit)
where e.sequence is not null or k.is_erased
order by k.fingerprint, e.sequence
