delete from rule_deadlines
where (fingerprint, rule, sequence) in (
    select fingerprint, rule, sequence from rule_deadlines where due <= @now order by due limit @limit)
returning rule, fingerprint, sequence, occurred, due
