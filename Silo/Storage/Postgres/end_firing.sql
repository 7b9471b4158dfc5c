-- Whoever sent it, it is delivered. It is parked only by whoever has it.
update firings
set state = @state, attempts = attempts + 1, next_attempt = null, ended = statement_timestamp(), status = @status,
    problem = @problem
where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
    and (@state = 'delivered' and state <> 'delivered' or state = 'pending' and next_attempt = @lease)
