-- The newest events of the fingerprints that were seen last since a day. Sequences have no gaps, so each one's newest
-- are those next to its head.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, cast(e.properties as text)
from (
    select fingerprint, (select max(n.sequence) from events n where n.fingerprint = recent.fingerprint) as head
    from (
        select fingerprint
        from visits
        where day >= @from and (cast(@product as text) is null or product = @product)
        group by fingerprint
        order by max(last_seen) desc, fingerprint
        limit @limit
    ) as recent
) as heads
join events e on e.fingerprint = heads.fingerprint and e.sequence > heads.head - @limit
where (cast(@product as text) is null or e.product = @product)
    and (cast(@action as text) is null or e.action = @action)
order by e.created desc, e.fingerprint, e.sequence desc
limit @limit
