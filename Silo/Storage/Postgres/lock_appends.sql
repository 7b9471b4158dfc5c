-- Held to the end of the transaction, by many at once: what leaves the log waits for those who are adding to it, and they for
-- it. The number is arbitrary; it names this among advisory locks.
select pg_advisory_xact_lock_shared(7020303)
