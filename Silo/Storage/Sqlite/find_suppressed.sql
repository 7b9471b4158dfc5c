select asked.value
from json_each(@fingerprints) as asked
where exists (select 1 from suppressions s where s.hash = unhex(@hashes ->> asked.key))
