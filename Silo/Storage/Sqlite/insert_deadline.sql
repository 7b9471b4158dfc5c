insert into rule_deadlines (rule, fingerprint, sequence, occurred, due)
values (@rule, @fingerprint, @sequence, @occurred, @due)
on conflict do nothing
