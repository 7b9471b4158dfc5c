-- The newest first. Those that were replaced sign a while longer.
select secret
from rule_secrets
where name = @name and (expires is null or expires > @now)
order by id desc
limit @limit
