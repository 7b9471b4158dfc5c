insert into visit_deltas (fingerprints, products, events, firsts, lasts,
    dimension_visits, dimensions, dimension_values, dimension_events)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning (select epoch from removal_epoch)
