-- A subquery and not a join, so that it is an index probe, whatever statistics the planner has.
select asked.fingerprint
from unnest(@fingerprints::text[], @hashes::bytea[]) as asked (fingerprint, hash)
where (select true from suppressions s where s.hash = asked.hash)
