select fingerprint, cast(sum(events) as bigint), min(first_seen), max(last_seen)
from visits
where cast(@product as text) is null or product = @product
group by fingerprint
having (min(first_seen), fingerprint) > (@after, @after_fingerprint)
order by min(first_seen), fingerprint
limit @limit
