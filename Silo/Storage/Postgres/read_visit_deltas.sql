select min(id), max(id)
from (
    select id from visit_deltas
    union all
    select id from visit_gaps
) as deltas
