select min(id), max(id) from visit_deltas
