-- The smallest commit that waits for synchronous standbys. Those that have it have all earlier ones.
select pg_logical_emit_message(true, 'tally', '')
