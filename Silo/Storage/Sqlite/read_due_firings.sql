select fingerprint, sequence, occurred, attempts
from firings
where state = 'pending' and rule = @rule and next_attempt <= strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
order by next_attempt, sequence
limit @limit
