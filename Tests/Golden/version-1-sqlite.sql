-- A commit's visits that are not merged.
insert into visit_deltas (visits) values
('[["2026-05-21","visitor-1","docs",1,"2026-05-21T01:02:03.000000Z","2026-05-21T01:02:03.000000Z"],["2026-05-21","visitor-1","k8s",1,"2026-05-21T01:02:04.000000Z","2026-05-21T01:02:04.000000Z"]]');

-- And its dimensions.
insert into dimension_deltas (counts) values
('[["2026-05-21","k8s","plan","pro",1,["visitor-1"]]]');
