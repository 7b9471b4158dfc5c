-- The merge's own lock (try_merge_lock.sql), waited for.
select pg_advisory_xact_lock(7020302)
