select min(id), max(id) from dimension_deltas
