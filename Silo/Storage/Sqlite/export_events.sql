select fingerprint, sequence, id, action, product, created, occurred, properties
from events
where (fingerprint, sequence) > (@fingerprint, @sequence)
  and occurred >= @from and occurred < @to
  and (@product = '' or product = @product)
order by fingerprint, sequence
