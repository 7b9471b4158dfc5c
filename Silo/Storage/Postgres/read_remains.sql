-- Subqueries and not joins, so that each is a probe, whatever the planner knows of the tables.
select asked.fingerprint,
    (select p.state from pruned p where p.fingerprint = asked.fingerprint),
    (select true from suppressions s where s.hash = asked.hash) is true
from unnest(@fingerprints::text[], @hashes::bytea[]) as asked (fingerprint, hash)
where (select p.sequence from pruned p where p.fingerprint = asked.fingerprint) is not null
   or (select true from suppressions s where s.hash = asked.hash)
