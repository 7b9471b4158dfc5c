select one.value ->> 0, one.value ->> 1, one.value ->> 2, one.value ->> 3, one.value ->> 4
from dimension_deltas m
cross join json_each(m.counts) as one
