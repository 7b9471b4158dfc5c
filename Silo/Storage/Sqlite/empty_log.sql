-- Waits for no reader: then it empties what it can.
pragma busy_timeout = 0;
pragma wal_checkpoint(truncate);
pragma busy_timeout = 2000
