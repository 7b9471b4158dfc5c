delete from funnel_changes where id <= @last and fingerprint in (select value from json_each(@fingerprints))
