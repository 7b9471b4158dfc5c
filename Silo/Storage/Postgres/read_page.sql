-- Goes along the key event by event, so that it reads nothing after the event that fills the page.
with recursive page as (
    (
        select fingerprint, sequence, id, action, product, created, occurred, properties::text as properties, rules, matched,
            1 as place, coalesce(octet_length(properties::text), 0)::bigint as bytes
        from events
        where fingerprint = @fingerprint and sequence > @sequence
        order by sequence
        limit 1
    )
    union all
    select next.fingerprint, next.sequence, next.id, next.action, next.product, next.created, next.occurred, next.properties::text, next.rules, next.matched,
        page.place + 1, page.bytes + coalesce(octet_length(next.properties::text), 0)
    from page
    cross join lateral (
        select *
        from events
        where fingerprint = @fingerprint and sequence > page.sequence
        order by sequence
        limit 1
    ) as next
    where page.place < @limit and page.bytes <= @bytes
)
select fingerprint, sequence, id, action, product, created, occurred, properties, rules, matched
from page
order by sequence
