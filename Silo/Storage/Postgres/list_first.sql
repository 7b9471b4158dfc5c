select fingerprint, sum(events)::bigint, min(first_seen), max(last_seen)
from visits
where @product::text is null or product = @product
group by fingerprint
having (min(first_seen), fingerprint) > (@after, @after_fingerprint)
order by min(first_seen), fingerprint
limit @limit
