select id, rules from rule_sets where id > @id order by id
