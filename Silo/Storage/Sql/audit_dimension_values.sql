select day, product, dimension, value, events, fingerprints, removed_events, removed_fingerprints
from dimension_values
