delete from rule_deadlines where fingerprint = @fingerprint and rule = @rule and sequence = @sequence
