select product, cast(sum(events) as bigint), count(*)
from (
    select product, sum(events) as events
    from visits
    where day >= @from and day < @to and (cast(@product as text) is null or product = @product)
    group by product, fingerprint
) as unique_fingerprints
group by product
order by count(*) desc, product
limit @limit
