-- Sixteen partitions by a hash of the fingerprint, so that each key stays one of a single partition.
create table partitioned (like events) partition by hash (fingerprint);
drop table events;
alter table partitioned rename to events;
alter table events add constraint events_pkey primary key (fingerprint, sequence),
    add constraint events_id_key unique (id, fingerprint);
do $$ begin
    for i in 0..15 loop
        execute format('create table events_%s partition of events for values with (modulus 16, remainder %s)', i, i);
    end loop;
end $$;
