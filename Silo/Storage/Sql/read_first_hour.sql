select min(hour)
from (
    select min(hour) as hour from rollup_hours
    union all
    select min(hour) from rollup_deltas
) as firsts
