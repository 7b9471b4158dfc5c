-- A partition a month. Postgres wants the time in each key then, so these keys refuse neither a second event with the
-- same sequence nor a repeated id: no fence and no exactly once. It is measured for what it would be worth.
create table partitioned (like events) partition by range (created);
drop table events;
alter table partitioned rename to events;
alter table events add constraint events_pkey primary key (fingerprint, sequence, created),
    add constraint events_id_key unique (id, fingerprint, created);
do $$ begin
    for i in -4..1 loop
        execute format('create table events_%s partition of events for values from (%L) to (%L)', i + 4,
            date_trunc('month', now() at time zone 'UTC') + i * interval '1 month',
            date_trunc('month', now() at time zone 'UTC') + (i + 1) * interval '1 month');
    end loop;
end $$;
