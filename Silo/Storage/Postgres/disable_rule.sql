update rules
set disabled = statement_timestamp()
where id = @id and disabled is null
