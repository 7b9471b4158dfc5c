select id, name, steps, product, within_minutes, filled_to
from funnels
where name is not null
order by name
