-- Held to the end of the transaction. The number is arbitrary; it names the merge job among advisory locks.
select pg_try_advisory_xact_lock(7020302)
