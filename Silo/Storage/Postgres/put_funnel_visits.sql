-- What is there and gets further, or got as far before, has come from events that are pruned: it stays.
insert into funnel_visits as v (funnel, day, fingerprint, steps, reached, sequence, times)
select (one ->> 0)::integer, (one ->> 1)::date, one ->> 2, (one ->> 3)::integer, (one ->> 4)::timestamptz,
    (one ->> 5)::bigint, one ->> 6
from json_array_elements(@visits::json) as one
on conflict (funnel, day, fingerprint) do update set
    steps = excluded.steps, reached = excluded.reached, sequence = excluded.sequence, times = excluded.times
where excluded.steps > v.steps or excluded.steps = v.steps and (
    (excluded.reached, excluded.sequence) < (v.reached, v.sequence)
    or (excluded.reached, excluded.sequence) = (v.reached, v.sequence) and excluded.times <> v.times)
