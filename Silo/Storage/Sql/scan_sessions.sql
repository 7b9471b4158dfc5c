select fingerprint, product, occurred, cast(properties as text)
from events
where occurred >= @from and occurred < @to
  and (cast(@product as text) is null or product = @product)
order by fingerprint, product, occurred, sequence
