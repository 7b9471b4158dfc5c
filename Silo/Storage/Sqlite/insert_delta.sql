insert into rollup_deltas (minute, hour, day, product, action, events,
    new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
values (@minute, @hour, @day, @product, @action, @events,
    @new_fingerprints, @new_product_fingerprints, @daily_fingerprints, @daily_product_fingerprints)
