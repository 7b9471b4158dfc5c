-- What the feed tells after a place, and up to another. The place's own row comes first: if it does not, the feed no
-- longer has what followed it. A row whose events have left the log comes without one. An event comes with the rules
-- that it made fire; what the clock made fire is a row of its own.
select next.fingerprint, next.sequence, next.id, next.action, next.product, next.created, next.occurred,
    next.properties, fed.id, fed.skipped, next.fired,
    clock.fingerprint, clock.sequence, clock.occurred, clock.name, clock.version, clock.definition
from (
    select * from feed
    where id between @row and @last_row
    order by id
    limit @limit
) as fed
left join lateral (
    select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties::text,
        (select json_agg(json_build_array(r.name, r.version) order by r.id)::text
            from json_array_elements(e.matched::json) as match
            join firings f on f.fingerprint = e.fingerprint and f.rule = (match ->> 0)::integer
                and f.sequence = e.sequence and f.head is null
            join rules r on r.id = f.rule) as fired
    from events e
    where e.fingerprint = fed.fingerprint and e.sequence between fed.first_sequence and fed.last_sequence
        and (fed.id > @row or e.sequence > @sequence) and (fed.id < @last_row or e.sequence <= @last_sequence)
        and fed.rule is null
    order by e.sequence
    limit @limit
) as next on true
left join lateral (
    select f.fingerprint, f.sequence, f.occurred, r.name, r.version, r.definition
    from firings f
    join rules r on r.id = f.rule
    where f.fingerprint = fed.fingerprint and f.rule = fed.rule and f.sequence = fed.first_sequence
) as clock on true
order by fed.id, next.sequence
limit @limit
