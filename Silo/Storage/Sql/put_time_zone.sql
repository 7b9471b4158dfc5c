insert into time_zone (id, name) values (1, @name)
on conflict (id) do update set name = excluded.name
