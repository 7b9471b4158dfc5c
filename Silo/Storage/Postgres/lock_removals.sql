-- Alone, to the end of the transaction. While this waits, every append waits behind it: so not for long, should one that
-- holds the lock be of a process that was stopped.
set local lock_timeout = '500ms';

select pg_advisory_xact_lock(7020303)
