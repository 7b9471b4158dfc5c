select cast(coalesce(sum(events), 0) as bigint), count(*)
from (
    select sum(events) as events
    from visits
    where day >= @from and day < @to and (cast(@product as text) is null or product = @product)
    group by fingerprint
) as unique_fingerprints
