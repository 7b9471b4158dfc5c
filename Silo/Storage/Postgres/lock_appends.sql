-- Held to the end of the transaction, by any number of appends at once. Appends and a removal wait for each other. The
-- number is arbitrary, and stands for this among advisory locks.
select pg_advisory_xact_lock_shared(7020303)
