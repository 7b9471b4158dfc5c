select fingerprint, sequence, occurred, attempts
from firings
where state = 'pending' and rule = @rule and next_attempt <= statement_timestamp()
order by next_attempt, sequence
limit @limit
for update skip locked
