select id, product, action
from counters
where id > @id
order by id
