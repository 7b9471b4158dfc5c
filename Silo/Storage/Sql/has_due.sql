select exists (select 1 from rule_deadlines where due <= @now)
