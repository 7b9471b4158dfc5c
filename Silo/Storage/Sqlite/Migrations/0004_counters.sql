-- Each pair of product and action that occurs: the merge of the rollups adds them, and the process reads them when it
-- starts, to keep their number in bounds.
create table counters (
    id      integer primary key,
    product text not null,
    action  text not null,
    unique (product, action)
) strict;

insert into counters (product, action)
select product, action from rollups
union
select product, action from rollup_deltas;
