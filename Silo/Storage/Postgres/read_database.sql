-- The log has what was counted, without what was removed.
select split_part(current_setting('server_version'), ' ', 1), pg_database_size(current_database()),
    cast((select coalesce(sum(events), 0) from counters)
        + (select coalesce(sum(events), 0) from rollup_deltas)
        - (select coalesce(sum(events), 0) from removed_rollups) as bigint)
