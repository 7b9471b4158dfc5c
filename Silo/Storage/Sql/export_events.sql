select fingerprint, sequence, id, action, product, created, occurred, cast(properties as text)
from events
where (fingerprint, sequence) > (@fingerprint, @sequence)
  and occurred >= @from and occurred < @to
  and (@product = '' or product = @product)
order by fingerprint, sequence
