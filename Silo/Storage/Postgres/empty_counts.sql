-- All that is counted from the log, to be counted anew. A recount may pause for longer than an erasure, and wait for a
-- proof that runs.
set local idle_in_transaction_session_timeout = 0;

set local lock_timeout = 0;

truncate rollups, rollup_hours, rollup_deltas, counters, visits, visit_deltas,
    dimension_values, dimension_visits, dimension_deltas, snapshots;

-- The feed begins anew.
update feed_watch set until = '-infinity'
