-- How often something was erased or pruned: a writer that knows this number as it is needs no look at what it appends to. Whatever
-- leaves the log changes pruned, alone under the lock that appends share (lock_removals.sql); so a silo of the version before,
-- which knows nothing of the number, counts too.
create table removals (
    id     smallint primary key check (id = 1),
    number bigint not null
);

insert into removals values (1, 0);

create function count_removal() returns trigger language plpgsql as $$
begin
    update removals set number = number + 1;
    return null;
end
$$;

create trigger removal after insert or update or delete on pruned
for each statement execute function count_removal();
