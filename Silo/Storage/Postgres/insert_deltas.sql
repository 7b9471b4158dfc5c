insert into rollup_deltas (minute, hour, day, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select * from unnest($1::timestamptz[], $2::timestamptz[], $3::date[], $4::text[], $5::text[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
