-- One removal of a fingerprint at a time; they come in one order.
select pg_advisory_xact_lock(hashtextextended(asked.fingerprint, 7020304))
from unnest(@fingerprints::text[]) as asked (fingerprint)
