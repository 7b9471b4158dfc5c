-- Held as long as the connection. The number is arbitrary, and stands for retention among advisory locks.
select pg_try_advisory_lock(7020305)
