insert into visit_deltas (days, fingerprints, products, events, firsts, lasts) values ($1, $2, $3, $4, $5, $6)
returning (select epoch from removal_epoch)
