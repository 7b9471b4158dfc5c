-- What the service that Tally replaces has recorded, in the order in which it happened.
select id::text, action::text, product::text, fingerprint::text, created::timestamptz from events order by created, id
