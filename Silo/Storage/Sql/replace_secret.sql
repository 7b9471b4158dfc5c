-- First the new one, so that there is always one that does not expire.
insert into rule_secrets (name, secret, created) values (@name, @secret, @now);

update rule_secrets set expires = @expires
where name = @name and expires is null and id < (select max(id) from rule_secrets where name = @name);

delete from rule_secrets
where name = @name
    and (expires <= @now
        or id not in (select id from rule_secrets where name = @name order by id desc limit @kept))
