-- Each pair of product and action that occurs: the merge of the rollups adds them, and every silo reads what is new, to
-- keep their number in bounds.
create table counters (
    id      bigint generated always as identity primary key,
    product text collate "C" not null,
    action  text collate "C" not null,
    constraint counters_product_action_key unique (product, action)
);

insert into counters (product, action)
select product, action from rollups
union
select product, action from rollup_deltas;
