insert into session_keys (name, xml) values (@name, @xml) on conflict (name) do nothing
