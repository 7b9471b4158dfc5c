-- Two more minutes. If nobody has watched meanwhile, the feed begins anew, with a row that has no events: what it had
-- does not go on. The newest row stays, so that a reader who knows it has missed nothing.
with lapsed as materialized (
    select from feed_watch where until <= statement_timestamp()
),
begun as (
    insert into feed (told, skipped)
    select statement_timestamp(), 0 from lapsed
    returning id
),
removed as (
    delete from feed
    where exists (select from lapsed)
        or (told < statement_timestamp() - interval '2 minutes' and id < (select max(id) from feed))
),
renewed as (
    update feed_watch set until = statement_timestamp() + interval '2 minutes', events_max = @events_max
)
select coalesce((select id from begun), (select max(id) from feed))
