-- Waits for app rezone, and sees what it has done.
insert into time_zone (id, name) values (1, @name) on conflict do nothing;

select name from time_zone for share
