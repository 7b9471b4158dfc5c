-- What is there and gets further, or got as far before, has come from events that are pruned: it stays.
insert into funnel_visits as v (funnel, day, fingerprint, steps, reached, sequence, times)
select one.value ->> 0, one.value ->> 1, one.value ->> 2, one.value ->> 3, one.value ->> 4, one.value ->> 5,
    one.value ->> 6
from json_each(@visits) as one
where true
on conflict (funnel, day, fingerprint) do update set
    steps = excluded.steps, reached = excluded.reached, sequence = excluded.sequence, times = excluded.times
where excluded.steps > v.steps or excluded.steps = v.steps and (
    (excluded.reached, excluded.sequence) < (v.reached, v.sequence)
    or (excluded.reached, excluded.sequence) = (v.reached, v.sequence) and excluded.times <> v.times)
