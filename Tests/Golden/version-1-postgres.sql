-- A commit's visits that are not merged.
insert into visit_deltas (days, fingerprints, products, events, firsts, lasts) values
('{2026-05-21,2026-05-21}', '{visitor-1,visitor-1}', '{docs,k8s}', '{1,1}', '{"2026-05-21 01:02:03+00","2026-05-21 01:02:04+00"}', '{"2026-05-21 01:02:03+00","2026-05-21 01:02:04+00"}');

-- And its dimensions.
insert into dimension_deltas (days, products, dimensions, "values", events, fingerprints, places) values
('{2026-05-21}', '{k8s}', '{plan}', '{pro}', '{1}', '{visitor-1}', '{1}');
