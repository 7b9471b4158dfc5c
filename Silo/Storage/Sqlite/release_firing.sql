update firings
set next_attempt = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
    and state = 'pending' and next_attempt = @lease
