select id, version, definition, disabled is not null
from rules
where name = @name and ended is null
