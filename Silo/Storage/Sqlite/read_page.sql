-- Goes along the key event by event, so that it reads nothing after the event that fills the page.
with recursive page (fingerprint, sequence, id, action, product, created, occurred, properties, rules, matched, place, bytes) as (
    select fingerprint, sequence, id, action, product, created, occurred, properties, rules, matched, 1, coalesce(octet_length(properties), 0)
    from events
    where fingerprint = @fingerprint
        and sequence = (select min(sequence) from events where fingerprint = @fingerprint and sequence > @sequence)
    union all
    select next.fingerprint, next.sequence, next.id, next.action, next.product, next.created, next.occurred, next.properties,
        next.rules, next.matched,
        page.place + 1, page.bytes + coalesce(octet_length(next.properties), 0)
    from page
    join events as next on next.fingerprint = page.fingerprint
        and next.sequence = (select min(sequence) from events where fingerprint = page.fingerprint and sequence > page.sequence)
    where page.place < @limit and page.bytes <= @bytes
)
select fingerprint, sequence, id, action, product, created, occurred, properties, rules, matched
from page
order by sequence
