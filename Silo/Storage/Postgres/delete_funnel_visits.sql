delete from funnel_visits
where funnel in (select id from funnels) and day = any(@days) and fingerprint = @fingerprint;

delete from funnel_changes where fingerprint = @fingerprint;

-- It would name the fingerprint: the fill begins anew.
update funnels set filled_to = '' where filled_to = @fingerprint
