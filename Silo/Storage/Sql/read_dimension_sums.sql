-- Jumps from each product to the next by the key, which begins with the product.
with recursive products (product) as (
    select min(product) from dimension_values where product >= coalesce(cast(@product as text), '')
    union all
    select (select min(v.product) from dimension_values v where v.product > products.product)
    from products
    where cast(@product as text) is null and products.product is not null
)
select
    case when @by_day then v.day end as day,
    case when @by_product then v.product end as product,
    case when @by_value then v.value end as value,
    cast(sum(v.events) as bigint), cast(sum(v.fingerprints) as bigint), cast(sum(sum(v.events)) over () as bigint)
from products p
join dimension_values v on v.product = p.product and v.dimension = @dimension and v.day >= @from and v.day < @to
where (cast(@product as text) is null or p.product = @product) and (cast(@value as text) is null or v.value = @value)
group by 1, 2, 3
order by
    case when not @by_day then case when @by_value and min(v.value) = '' then 0 else 1 end end,
    case when not @by_day then sum(v.events) end desc,
    1, 2, 3
limit @limit
