-- Until then it is nobody else's. If it waits for an earlier one, it also waits as long as that does.
update firings
set next_attempt = max(coalesce(@until, ''), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', @seconds || ' seconds'))
where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
returning next_attempt
