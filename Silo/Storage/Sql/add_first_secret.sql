insert into rule_secrets (name, secret, created)
select @name, @secret, @now
where not exists (select 1 from rule_secrets where name = @name and expires is null)
returning id
