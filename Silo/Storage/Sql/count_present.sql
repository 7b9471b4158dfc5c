-- Whoever was seen since then has a visit that day or later.
select count(distinct fingerprint)
from visits
where day >= @from and last_seen >= @since and (cast(@product as text) is null or product = @product)
