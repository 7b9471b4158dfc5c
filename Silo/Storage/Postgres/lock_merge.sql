-- Waits for the lock of try_merge_lock.sql.
select pg_advisory_xact_lock(7020302)
