-- The counts keep what a fingerprint gave them, which is noted without the fingerprint.
with gone as (
    delete from dimension_visits d
    using unnest(@days::date[]) as of_day (day)
    where d.day = of_day.day and d.fingerprint = @fingerprint
    returning d.value
)
update dimension_values v set removed_fingerprints = v.removed_fingerprints + 1
from gone
where v.id = gone.value
