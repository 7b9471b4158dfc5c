-- All that is counted from the log, to be counted anew.
delete from rollups;

delete from rollup_hours;

delete from rollup_deltas;

delete from counters;

delete from visits;

delete from visit_deltas;

delete from dimension_values;

delete from dimension_visits;

delete from dimension_deltas;

delete from snapshots;

-- The feed begins anew.
update feed_watch set until = 0
