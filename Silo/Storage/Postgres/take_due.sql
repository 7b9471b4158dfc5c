-- Waits for nobody: what a commit is about to remove is gone at the next round.
delete from rule_deadlines d
using (
    select fingerprint, rule, sequence
    from rule_deadlines
    where due <= @now
    order by due
    limit @limit
    for update skip locked
) as next
where d.fingerprint = next.fingerprint and d.rule = next.rule and d.sequence = next.sequence
returning d.rule, d.fingerprint, d.sequence, d.occurred, d.due
