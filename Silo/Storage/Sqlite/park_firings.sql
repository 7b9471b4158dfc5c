update firings
set state = 'parked', next_attempt = null, ended = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), problem = @problem
where state = 'pending' and (fingerprint, rule, sequence) in (
    select fingerprint, rule, sequence
    from firings
    where state = 'pending' and rule = @rule
    order by next_attempt
    limit @limit
)
