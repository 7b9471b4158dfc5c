select min(id), max(id) from funnel_changes
