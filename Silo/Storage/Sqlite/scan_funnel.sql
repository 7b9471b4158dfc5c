select fingerprint, occurred, action, case when @with_properties then properties end
from events
where occurred >= @from and occurred < @to and action in (select value from json_each(@actions))
  and (@product is null or product = @product)
order by fingerprint, occurred, sequence
