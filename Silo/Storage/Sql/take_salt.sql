insert into daily_salts (id, day, salt) values (1, @day, @salt)
on conflict (id) do update set day = excluded.day, salt = excluded.salt where daily_salts.day < excluded.day;

select day, salt from daily_salts
