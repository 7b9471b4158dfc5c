select id, name, version, definition, ended is not null from rules where id > @id order by id
