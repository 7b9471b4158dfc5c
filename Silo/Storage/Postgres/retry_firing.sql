update firings
set attempts = attempts + 1, next_attempt = statement_timestamp() + make_interval(secs => @seconds),
    status = @status, problem = @problem
where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
    and state = 'pending' and next_attempt = @lease
