select id, name, version, definition, begun, disabled
from rules
where ended is null and (cast(@name as text) is null or name = @name)
order by name
