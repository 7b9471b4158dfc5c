insert into removed_rollups as r (minute, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
select * from unnest($1::timestamptz[], $2::text[], $3::text[],
    $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
on conflict (minute, product, action) do update set
    events = r.events + excluded.events,
    new_fingerprints = r.new_fingerprints + excluded.new_fingerprints,
    new_product_fingerprints = r.new_product_fingerprints + excluded.new_product_fingerprints,
    daily_fingerprints = r.daily_fingerprints + excluded.daily_fingerprints,
    daily_product_fingerprints = r.daily_product_fingerprints + excluded.daily_product_fingerprints
