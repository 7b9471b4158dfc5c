insert into removed_rollups as r (minute, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
values (@minute, @product, @action, @events,
    @new_fingerprints, @new_product_fingerprints, @daily_fingerprints, @daily_product_fingerprints)
on conflict (minute, product, action) do update set
    events = r.events + excluded.events,
    new_fingerprints = r.new_fingerprints + excluded.new_fingerprints,
    new_product_fingerprints = r.new_product_fingerprints + excluded.new_product_fingerprints,
    daily_fingerprints = r.daily_fingerprints + excluded.daily_fingerprints,
    daily_product_fingerprints = r.daily_product_fingerprints + excluded.daily_product_fingerprints
