-- While somebody watches the feed.
insert into feed (told, fingerprint, first_sequence, last_sequence, skipped, rule)
select unixepoch(), fired.value, @sequences ->> fired.key, @sequences ->> fired.key, 0, @rules ->> fired.key
from json_each(@fingerprints) as fired
where exists (select 1 from feed_watch where until > unixepoch())
