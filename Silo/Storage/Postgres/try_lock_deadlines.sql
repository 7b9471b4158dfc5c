-- Held to the end of the transaction. The number is arbitrary, and stands for deadlines among advisory locks.
select pg_try_advisory_xact_lock(7020308)
