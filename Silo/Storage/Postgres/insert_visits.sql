insert into visit_deltas (fingerprints, products, events, firsts, lasts) values ($1, $2, $3, $4, $5)
returning (select epoch from removal_epoch)
