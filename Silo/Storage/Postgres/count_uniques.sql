select coalesce(sum(events), 0)::bigint, count(*)
from (
    select sum(events) as events
    from visits
    where day >= @from and day < @to and (@product::text is null or product = @product)
    group by fingerprint
) as unique_fingerprints
