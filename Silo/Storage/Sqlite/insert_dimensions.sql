insert into dimension_deltas (counts) values (@counts)
