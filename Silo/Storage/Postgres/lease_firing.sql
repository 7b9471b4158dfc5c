-- Until then it is nobody else's. If it waits for an earlier one, it also waits as long as that does.
update firings
set next_attempt = greatest(@until::timestamptz, statement_timestamp() + make_interval(secs => @seconds))
where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
returning next_attempt
