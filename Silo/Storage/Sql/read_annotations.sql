select time, product, text
from annotations
where time >= @from and time < @to and (cast(@product as text) is null or product in ('', @product))
order by time, product
