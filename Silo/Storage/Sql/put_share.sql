insert into shares (name, product, hash, created)
select @name, @product, @hash, @created
where (select count(*) from shares) < @shares_max or exists (select 1 from shares where name = @name)
on conflict (name) do update set product = excluded.product, hash = excluded.hash, created = excluded.created
returning name
