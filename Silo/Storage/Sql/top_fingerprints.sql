select fingerprint, cast(sum(events) as bigint), min(first_seen), max(last_seen)
from visits
where day >= @from and day < @to and (cast(@product as text) is null or product = @product)
group by fingerprint
order by sum(events) desc, fingerprint
limit @limit
