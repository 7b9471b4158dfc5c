select exists (select from visit_gaps)
