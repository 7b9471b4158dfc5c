-- Newest first by the time at which it happened. The sizes of properties end a page, as in read_page. Sequences begin at
-- 1, so 0 is no event's.
select fingerprint, sequence, id, action, product, created, occurred, properties
from (
    select fingerprint, sequence, id, action, product, created, occurred, properties,
        sum(octet_length(properties)) over (
            order by occurred desc, sequence desc rows between unbounded preceding and 1 preceding) as bytes_before
    from (
        select fingerprint, sequence, id, action, product, created, occurred, cast(properties as text) as properties
        from events
        where fingerprint = @fingerprint and occurred < @to and (@sequence = 0 or (occurred, sequence) < (
            select occurred, sequence from events where fingerprint = @fingerprint and sequence = @sequence))
        order by occurred desc, sequence desc
        limit @limit
    ) as page
) as sized
where coalesce(bytes_before, 0) <= @bytes
order by occurred desc, sequence desc
