-- By the key, whose first columns are day and product.
select v.day, sum(v.events)::bigint
from unnest(@days::date[]) as asked (day)
cross join unnest(@products::text[]) as used (product)
join visits v on v.day = asked.day and v.product = used.product and v.fingerprint = @fingerprint
group by v.day
order by v.day
