select fingerprint, occurred, product, cast(properties as text), dimensions
from events
where occurred >= @from and occurred < @to and dimensions is not null
  and (cast(@product as text) is null or product = @product)
order by fingerprint
