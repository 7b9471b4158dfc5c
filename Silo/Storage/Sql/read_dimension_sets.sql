select id, names from dimension_sets
