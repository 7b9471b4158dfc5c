insert into suppressions (hash) values (@hash) on conflict (hash) do nothing
