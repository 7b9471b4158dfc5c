-- One removal of a fingerprint at a time. The fingerprints are sorted.
select pg_advisory_xact_lock(hashtextextended(asked.fingerprint, 7020304))
from unnest(@fingerprints::text[]) as asked (fingerprint)
