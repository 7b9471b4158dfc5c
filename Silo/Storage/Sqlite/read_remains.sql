select asked.value, p.state, s.hash is not null
from json_each(@fingerprints) as asked
left join pruned p on p.fingerprint = asked.value
left join suppressions s on s.hash = unhex(@hashes ->> asked.key)
where p.fingerprint is not null or s.hash is not null
