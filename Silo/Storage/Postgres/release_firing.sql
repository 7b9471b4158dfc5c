update firings
set next_attempt = statement_timestamp()
where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
    and state = 'pending' and next_attempt = @lease
