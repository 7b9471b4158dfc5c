delete from funnel_visits
where (funnel, day, fingerprint) in (
    select funnel, day, fingerprint from funnel_visits where funnel = @funnel limit @limit)
