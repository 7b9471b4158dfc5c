delete from rule_secrets where name = @name
