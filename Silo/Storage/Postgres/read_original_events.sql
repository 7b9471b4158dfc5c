-- What the service that Tally replaces has recorded, in the order in which it happened.
select id::text, action, product, fingerprint, created::timestamptz from events order by created, id
