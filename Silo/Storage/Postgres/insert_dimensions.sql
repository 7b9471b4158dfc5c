insert into dimension_deltas (days, products, dimensions, "values", events, fingerprints, places)
values ($1, $2, $3, $4, $5, $6, $7)
