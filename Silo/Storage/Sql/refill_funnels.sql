delete from funnel_visits;

delete from funnel_changes;

update funnels set filled_to = ''
