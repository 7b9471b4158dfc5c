select count(*) filter (where ended is null), count(*) from rules
