-- The log has what was counted, without what was removed.
select sqlite_version(), (select page_count * page_size from pragma_page_count(), pragma_page_size()),
    (select coalesce(sum(events), 0) from counters)
        + (select coalesce(sum(events), 0) from rollup_deltas)
        - (select coalesce(sum(events), 0) from removed_rollups)
