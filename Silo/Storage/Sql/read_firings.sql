select f.fingerprint, f.sequence, f.occurred, f.fired, f.rule, r.name, r.version, f.state, f.attempts, f.next_attempt,
    f.ended, f.status, f.problem
from firings f
join rules r on r.id = f.rule
where (f.fired, f.fingerprint, f.rule, f.sequence) < (@fired, @after_fingerprint, @after_rule, @after_sequence)
    and (cast(@rule as text) is null or r.name = @rule)
    and (cast(@fingerprint as text) is null or f.fingerprint = @fingerprint)
    and (cast(@state as text) is null or f.state = @state)
order by f.fired desc, f.fingerprint desc, f.rule desc, f.sequence desc
limit @limit
