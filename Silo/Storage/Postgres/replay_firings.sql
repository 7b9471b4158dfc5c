update firings
set state = 'pending', attempts = 0, next_attempt = statement_timestamp(), ended = null, status = null,
    problem = null
where state = @state and (fingerprint, rule, sequence) in (
    select firings.fingerprint, firings.rule, firings.sequence
    from firings
    join rules on rules.id = firings.rule
    where firings.state = @state and rules.name = @name
        and (@fingerprint = '' or firings.fingerprint = @fingerprint)
    order by firings.fired, firings.sequence
    limit @limit
    for update of firings skip locked
)
