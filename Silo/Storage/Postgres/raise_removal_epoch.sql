-- Locks out all appends until the transaction ends, and makes the writers of later ones check what they follow. While
-- this waits for the lock, every append waits behind it. So it gives up soon if the lock belongs to a process that was
-- stopped.
set local lock_timeout = '500ms';

select pg_advisory_xact_lock(7020303);

update removal_epoch set epoch = epoch + 1
