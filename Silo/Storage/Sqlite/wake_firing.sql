-- The next of the fingerprint and the rule has waited for this one.
update firings
set next_attempt = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
where state = 'pending' and (fingerprint, rule, sequence) = (
    select later.fingerprint, later.rule, later.sequence
    from firings later
    join rules on rules.id = later.rule
    where later.state = 'pending' and later.fingerprint = @fingerprint and later.sequence > @sequence
        and rules.name = @name
    order by later.sequence
    limit 1
)
