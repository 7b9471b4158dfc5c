-- Two more minutes. If nobody has watched meanwhile, the feed begins anew, with a row that has no events: what it had
-- does not go on. The newest row stays, so that a reader who knows it has missed nothing, and ids go on.
insert into feed (told, skipped)
select unixepoch(), 0 from feed_watch where until <= unixepoch();

delete from feed
where id < (select max(id) from feed)
    and (told < unixepoch() - 120 or exists (select 1 from feed_watch where until <= unixepoch()));

update feed_watch set until = unixepoch() + 120, events_max = @events_max;

select max(id) from feed
