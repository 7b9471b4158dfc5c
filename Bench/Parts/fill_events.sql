-- Half of the rows are visitors of one event, the other half the history of the mixed workload's fingerprints, each
-- from its first event on; and the rollup of all, so that a proof still holds. Numbers are spread as Draw spreads them.
insert into events (fingerprint, sequence, id, action, product, created, occurred)
select 'v-' || lpad((number * @stride % @modulus)::text, 12, '0'), sequence, gen_random_uuid(), 'view', 'k8s', at, at
from (
    select @filled_from + i as number, 1 as sequence from generate_series(1, @rows / 2) as i
    union all
    select @mixed_from + i % @mixed_fingerprints, i / @mixed_fingerprints + 1 from generate_series(0, @rows - @rows / 2 - 1) as i
) as rows, (select date_trunc('minute', now()) as at) as moment;

insert into rollups (minute, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select date_trunc('minute', now()), 'k8s', 'view', @rows, firsts, firsts, firsts, firsts
from (select @rows / 2 + least(@rows - @rows / 2, @mixed_fingerprints) as firsts) as counted;
