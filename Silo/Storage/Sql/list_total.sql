select fingerprint, cast(sum(events) as bigint), min(first_seen), max(last_seen)
from visits
where cast(@product as text) is null or product = @product
group by fingerprint
having (sum(events), fingerprint) < (@after, @after_fingerprint)
order by sum(events) desc, fingerprint desc
limit @limit
