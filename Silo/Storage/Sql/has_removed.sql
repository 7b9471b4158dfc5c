select exists (select 1 from removed_rollups)
