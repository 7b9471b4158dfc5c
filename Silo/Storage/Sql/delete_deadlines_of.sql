delete from rule_deadlines where fingerprint = @fingerprint
