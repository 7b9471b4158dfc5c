select fingerprint, occurred, action, case when @with_properties then properties::text end
from events
where occurred >= @from and occurred < @to and action = any(@actions)
  and (@product::text is null or product = @product)
order by fingerprint, occurred, sequence
