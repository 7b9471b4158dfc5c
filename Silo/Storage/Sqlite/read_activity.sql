-- By the key, whose first columns are day and product. Cross joins keep this order.
select v.day, sum(v.events)
from json_each(@days) as asked
cross join json_each(@products) as used
cross join visits v on v.day = asked.value and v.product = used.value and v.fingerprint = @fingerprint
group by v.day
order by v.day
