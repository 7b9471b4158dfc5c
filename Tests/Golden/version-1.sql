-- What version 1 wrote, in words that both databases read. Never edit: a later version gets a file of its own.
-- {payload} stands for version-1-snapshot.hex, a snapshot at sequence 7; the last four deltas are not merged yet.

insert into events (fingerprint, sequence, id, action, product, created, occurred, properties) values
('besucher ü', 1, 'f905b195-42ed-88c9-a9c2-6543cca32e57', 'view', 'k8s', '2026-03-01T12:00:30.001234Z', '2026-03-01T12:00:30.000000Z', null),
('visitor-1', 1, '0bafe221-56d2-898c-943b-86040446d366', 'view', 'k8s', '2026-03-01T12:00:00.001235Z', '2026-03-01T12:00:00.000001Z', null),
('visitor-1', 2, '11111111-2222-4333-8444-555555555555', 'click', 'k8s', '2026-03-02T00:00:00.001233Z', '2026-03-01T23:59:59.999999Z', null),
('visitor-1', 3, '019cabd8-3800-7442-8ae2-1ebe043720f1', 'view', 'docs', '2026-03-02T00:00:00.001234Z', '2026-03-02T00:00:00.000000Z', null),
('visitor-1', 4, '089001a3-5679-833e-b3db-0ca350db9b9a', 'view', 'docs', '2024-02-29T08:30:00.001234Z', '2024-02-29T08:30:00.000000Z', null),
('visitor-1', 5, '512eea46-ceb3-821d-bf43-63c7069d89d4', 'buy', 'käse', '2031-07-04T10:00:00.001234Z', '2031-07-04T10:00:00.000000Z', '{"amount": 3}'),
('visitor-1', 6, '3d5e3106-cd72-8a03-bede-df6dbb9fc336', 'view', 'k8s', '2026-03-01T12:00:59.501234Z', '2026-03-01T12:00:59.500000Z', null),
('visitor-1', 7, '28ec9a8f-f249-8d5f-b299-3734c026afbb', 'view', 'k8s', '2026-05-20T00:00:00.001234Z', '2026-05-20T00:00:00.000000Z', null),
('visitor-1', 8, 'f3959239-3ef0-859c-b196-a52693d2cea0', 'click', 'docs', '2026-05-21T01:02:03.001234Z', '2026-05-21T01:02:03.000000Z', null),
('visitor-1', 9, '3547cb11-2ac4-889a-b231-0c0626cdba6f', 'view', 'k8s', '2026-05-21T01:02:04.001234Z', '2026-05-21T01:02:04.000000Z', null);

insert into rollups (minute, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints) values
('2024-02-29T08:30:00.000000Z', 'docs', 'view', 1, 0, 0, 1, 1),
('2026-03-01T12:00:00.000000Z', 'k8s', 'view', 2, 2, 2, 2, 2),
('2026-03-01T23:59:00.000000Z', 'k8s', 'click', 1, 0, 0, 0, 0),
('2026-03-02T00:00:00.000000Z', 'docs', 'view', 1, 0, 1, 1, 1),
('2031-07-04T10:00:00.000000Z', 'käse', 'buy', 1, 0, 1, 1, 1);

insert into rollup_deltas (minute, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints) values
('2026-03-01T12:00:00.000000Z', 'k8s', 'view', 1, 0, 0, 0, 0),
('2026-05-20T00:00:00.000000Z', 'k8s', 'view', 1, 0, 0, 1, 1),
('2026-05-21T01:02:00.000000Z', 'docs', 'click', 1, 0, 0, 1, 1),
('2026-05-21T01:02:00.000000Z', 'k8s', 'view', 1, 0, 0, 0, 1);

insert into snapshots (service_id, grain_type, grain_key, payload, version) values
('tally', 'fingerprint', '~visitor-1', {payload}, 1);
