select p.fingerprint
from pruned p
where p.fingerprint > @after and not exists (select 1 from events e where e.fingerprint = p.fingerprint)
order by p.fingerprint
limit @limit
