update rules
set disabled = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
where id = @id and disabled is null
