select id, fingerprint from funnel_changes order by id limit @limit
