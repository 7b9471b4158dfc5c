-- While somebody watches the feed.
insert into feed (told, fingerprint, first_sequence, last_sequence, skipped, rule)
select statement_timestamp(), fired.fingerprint, fired.sequence, fired.sequence, 0, fired.rule
from unnest(@rules::bigint[], @fingerprints::text[], @sequences::bigint[]) as fired (rule, fingerprint, sequence)
where exists (select from feed_watch where until > statement_timestamp())
