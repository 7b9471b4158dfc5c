-- What version 1 wrote, as SQL that both databases read once x'...' is in their own dialect. Never edit this: a later version gets a
-- file of its own. {payload} stands for version-1-snapshot.hex, a snapshot at sequence 7. The visitor's last two events are not merged.

insert into events (fingerprint, sequence, id, action, product, created, occurred, properties) values
('besucher ü', 1, '3e499e75-2620-86a9-8ed5-9a200a181324', 'view', 'k8s', '2026-03-01T12:00:30.001234Z', '2026-03-01T12:00:30.000000Z', null),
('pruned-1', 3, '094f5333-853b-8f38-a477-c4e46cb8aec3', 'view', 'k8s', '2026-03-05T10:00:00.001234Z', '2026-03-05T10:00:00.000000Z', null),
('visitor-1', 1, '0bafe221-56d2-898c-943b-86040446d366', 'view', 'k8s', '2026-03-01T12:00:00.001235Z', '2026-03-01T12:00:00.000001Z', null),
('visitor-1', 2, '11111111-2222-4333-8444-555555555555', 'click', 'k8s', '2026-03-02T00:00:00.001233Z', '2026-03-01T23:59:59.999999Z', null),
('visitor-1', 3, '019cabd8-3800-7442-8ae2-1ebe043720f1', 'view', 'docs', '2026-03-02T00:00:00.001234Z', '2026-03-02T00:00:00.000000Z', null),
('visitor-1', 4, '627877a4-7465-861e-80d6-8616538505b0', 'view', 'docs', '2024-02-29T08:30:00.001234Z', '2024-02-29T08:30:00.000000Z', null),
('visitor-1', 5, '8f268097-f985-82b7-8003-407a93000019', 'buy', 'käse', '2031-07-04T10:00:00.001234Z', '2031-07-04T10:00:00.000000Z', '{"amount": 3}'),
('visitor-1', 6, 'e400a887-aa4e-8768-b39d-ae36c8cade02', 'view', 'k8s', '2026-03-01T12:00:59.501234Z', '2026-03-01T12:00:59.500000Z', null),
('visitor-1', 7, '8c99b068-8cd5-818f-9d27-175a4b90e4a2', 'view', 'k8s', '2026-05-20T00:00:00.001234Z', '2026-05-20T00:00:00.000000Z', null),
('visitor-1', 8, '8b8770b8-dde4-8e53-ba75-3a755edb03c8', 'click', 'docs', '2026-05-21T01:02:03.001234Z', '2026-05-21T01:02:03.000000Z', null),
('visitor-1', 9, '59405bc2-4d0c-8461-9fb6-b7db7dc8f5cf', 'view', 'k8s', '2026-05-21T01:02:04.001234Z', '2026-05-21T01:02:04.000000Z', '{"plan": "pro"}');

update events set dimensions = 1 where properties is not null;

insert into dimension_sets (names) values ('amount,plan');

insert into dimension_values (product, dimension, day, value, events, fingerprints, removed_events, removed_fingerprints) values
('käse', 'amount', '2031-07-04', '3', 1, 1, 0, 0),
('k8s', 'plan', '2026-01-10', 'free', 1, 1, 1, 0),
('k8s', 'plan', '2026-03-01', '', 2, 2, 2, 2);

insert into dimension_visits (day, fingerprint, value)
select day, case when product = 'k8s' then 'pruned-1' else 'visitor-1' end, id
from dimension_values
where value <> '';

insert into rollups (minute, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints) values
('2024-02-29T08:30:00.000000Z', 'docs', 'view', 1, 0, 0, 1, 1),
('2026-01-10T08:00:00.000000Z', 'k8s', 'view', 1, 1, 1, 1, 1),
('2026-01-11T09:30:00.000000Z', 'k8s', 'view', 1, 0, 0, 1, 1),
('2026-03-01T12:00:00.000000Z', 'k8s', 'view', 4, 3, 3, 3, 3),
('2026-03-01T23:59:00.000000Z', 'k8s', 'click', 1, 0, 0, 0, 0),
('2026-03-02T00:00:00.000000Z', 'docs', 'view', 1, 0, 1, 1, 1),
('2026-03-05T10:00:00.000000Z', 'k8s', 'view', 1, 0, 0, 1, 1),
('2026-05-20T00:00:00.000000Z', 'k8s', 'view', 1, 0, 0, 1, 1),
('2031-07-04T10:00:00.000000Z', 'käse', 'buy', 1, 0, 1, 1, 1);

insert into rollup_hours (hour, day, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints) values
('2024-02-29T08:00:00.000000Z', '2024-02-29', 'docs', 'view', 1, 0, 0, 1, 1),
('2026-01-10T08:00:00.000000Z', '2026-01-10', 'k8s', 'view', 1, 1, 1, 1, 1),
('2026-01-11T09:00:00.000000Z', '2026-01-11', 'k8s', 'view', 1, 0, 0, 1, 1),
('2026-03-01T12:00:00.000000Z', '2026-03-01', 'k8s', 'view', 4, 3, 3, 3, 3),
('2026-03-01T23:00:00.000000Z', '2026-03-01', 'k8s', 'click', 1, 0, 0, 0, 0),
('2026-03-02T00:00:00.000000Z', '2026-03-02', 'docs', 'view', 1, 0, 1, 1, 1),
('2026-03-05T10:00:00.000000Z', '2026-03-05', 'k8s', 'view', 1, 0, 0, 1, 1),
('2026-05-20T00:00:00.000000Z', '2026-05-20', 'k8s', 'view', 1, 0, 0, 1, 1),
('2031-07-04T10:00:00.000000Z', '2031-07-04', 'käse', 'buy', 1, 0, 1, 1, 1);

insert into rollup_deltas (minute, hour, day, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints) values
('2026-05-21T01:02:00.000000Z', '2026-05-21T01:00:00.000000Z', '2026-05-21', 'docs', 'click', 1, 0, 0, 1, 1),
('2026-05-21T01:02:00.000000Z', '2026-05-21T01:00:00.000000Z', '2026-05-21', 'k8s', 'view', 1, 0, 0, 0, 1);

insert into removed_rollups (minute, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints) values
('2026-01-10T08:00:00.000000Z', 'k8s', 'view', 1, 1, 1, 1, 1),
('2026-01-11T09:30:00.000000Z', 'k8s', 'view', 1, 0, 0, 1, 1),
('2026-03-01T12:00:00.000000Z', 'k8s', 'view', 1, 1, 1, 1, 1);

insert into counters (product, action, events) values
('docs', 'view', 2),
('k8s', 'click', 1),
('k8s', 'view', 8),
('käse', 'buy', 1);

insert into visits (day, product, fingerprint, events, first_seen, last_seen) values
('2024-02-29', 'docs', 'visitor-1', 1, '2024-02-29T08:30:00.000000Z', '2024-02-29T08:30:00.000000Z'),
('2026-01-10', 'k8s', 'pruned-1', 1, '2026-01-10T08:00:00.000000Z', '2026-01-10T08:00:00.000000Z'),
('2026-01-11', 'k8s', 'pruned-1', 1, '2026-01-11T09:30:00.000000Z', '2026-01-11T09:30:00.000000Z'),
('2026-03-01', 'k8s', 'besucher ü', 1, '2026-03-01T12:00:30.000000Z', '2026-03-01T12:00:30.000000Z'),
('2026-03-01', 'k8s', 'visitor-1', 3, '2026-03-01T12:00:00.000001Z', '2026-03-01T23:59:59.999999Z'),
('2026-03-02', 'docs', 'visitor-1', 1, '2026-03-02T00:00:00.000000Z', '2026-03-02T00:00:00.000000Z'),
('2026-03-05', 'k8s', 'pruned-1', 1, '2026-03-05T10:00:00.000000Z', '2026-03-05T10:00:00.000000Z'),
('2026-05-20', 'k8s', 'visitor-1', 1, '2026-05-20T00:00:00.000000Z', '2026-05-20T00:00:00.000000Z'),
('2031-07-04', 'käse', 'visitor-1', 1, '2031-07-04T10:00:00.000000Z', '2031-07-04T10:00:00.000000Z');

insert into snapshots (service_id, grain_type, grain_key, payload, version) values
('tally', 'fingerprint', '~visitor-1', {payload}, 1);

insert into pruned (fingerprint, sequence, state) values
('pruned-1', 2, x'2000090109810000d3401e50de4881005ce3fdf350de48210044d2022100030140000000000003e0e02100032140076b38734109766965770109810000d3401e50de4881005ce3fdf350de48e0e021000321c01d210044d2022100030140000000000003e0e0e0e021200005019492b400a492b4e021000501050005e0e0e0');

update suppression_key set key =
x'000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';

insert into suppressions (hash) values
(x'5c6aa1b90a27cee434a462a61d6bb6e4fe0c9036063735f5cda8115dbf3f6782');
