insert into dimension_sets (names) values (@names) on conflict (names) do nothing
