select day, product, fingerprint, sum(events), min(first_seen), max(last_seen)
from (
    select day, product, fingerprint, events, first_seen, last_seen
    from visits
    union all
    select one.value ->> 0, one.value ->> 2, one.value ->> 1, one.value ->> 3, one.value ->> 4, one.value ->> 5
    from visit_deltas d
    cross join json_each(d.visits) as one
) as parts
group by day, product, fingerprint
order by fingerprint, day, product
