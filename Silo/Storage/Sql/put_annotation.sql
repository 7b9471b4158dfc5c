insert into annotations (time, product, text)
select @time, @product, @text
where (select count(*) from annotations) < @annotations_max
    or exists (select 1 from annotations where time = @time and product = @product)
on conflict (time, product) do update set text = excluded.text
returning text
