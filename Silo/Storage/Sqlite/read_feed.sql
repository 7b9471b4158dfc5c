-- What the feed tells after a place, and up to another. The place's own row comes first: if it does not, the feed no
-- longer has what followed it. A row whose events have left the log comes without one. An event comes with the rules
-- that it made fire; what the clock made fire is a row of its own.
select e.fingerprint, e.sequence, e.id, e.action, e.product, e.created, e.occurred, e.properties, f.id, f.skipped,
    (select nullif(json_group_array(json_array(r.name, r.version) order by r.id), '[]')
        from json_each(e.matched) as match
        join firings fired on fired.fingerprint = e.fingerprint and fired.rule = json_extract(match.value, '$[0]')
            and fired.sequence = e.sequence and fired.head is null
        join rules r on r.id = fired.rule),
    clock.fingerprint, clock.sequence, clock.occurred, rules.name, rules.version, rules.definition
from (
    select * from feed
    where id between @row and @last_row
    order by id
    limit @limit
) as f
left join events e on e.fingerprint = f.fingerprint and e.sequence between f.first_sequence and f.last_sequence
    and (f.id > @row or e.sequence > @sequence) and (f.id < @last_row or e.sequence <= @last_sequence)
    and f.rule is null
left join firings clock on clock.fingerprint = f.fingerprint and clock.rule = f.rule
    and clock.sequence = f.first_sequence
left join rules on rules.id = clock.rule
order by f.id, e.sequence
limit @limit
