insert into rule_sets (rules)
select coalesce(string_agg(cast(id as text), ',' order by id), '') from rules where ended is null
