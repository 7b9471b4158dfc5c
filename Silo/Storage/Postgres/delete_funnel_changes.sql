delete from funnel_changes where id <= @last and fingerprint = any(@fingerprints)
