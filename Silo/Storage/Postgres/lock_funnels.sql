-- Waits for the lock of try_lock_funnels.sql.
select pg_advisory_xact_lock(7020306)
