update firings
set attempts = attempts + 1, next_attempt = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', @seconds || ' seconds'),
    status = @status, problem = @problem
where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
    and state = 'pending' and next_attempt = @lease
