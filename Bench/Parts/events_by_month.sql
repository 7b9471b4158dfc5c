-- Partitions of 30 days, the first with the oldest third of 90. Postgres wants the time in each key then, so these keys
-- refuse neither a second event with the same sequence nor a repeated id: no fence and no exactly once. It is measured
-- for what it would be worth.
create table partitioned (like events) partition by range (created);
drop table events;
alter table partitioned rename to events;
alter table events add constraint events_pkey primary key (fingerprint, sequence, created),
    add constraint events_id_key unique (id, fingerprint, created);
do $$ begin
    for i in 0..5 loop
        execute format('create table events_%s partition of events for values from (%s) to (%L)', i,
            case when i = 0 then 'minvalue' else quote_literal(now() - (90 - i * 30) * interval '1 day') end,
            now() - (60 - i * 30) * interval '1 day');
    end loop;
end $$;
