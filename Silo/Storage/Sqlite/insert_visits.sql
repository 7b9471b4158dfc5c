insert into visit_deltas (visits) values (@visits)
