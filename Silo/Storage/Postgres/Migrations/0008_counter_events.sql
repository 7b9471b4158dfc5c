-- The events of each pair, as far as they are merged: what a total is made of without reading all minutes.
alter table counters add column events bigint not null default 0;

update counters
set events = merged.events
from (select product, action, sum(events) as events from rollups group by product, action) as merged
where counters.product = merged.product and counters.action = merged.action;
