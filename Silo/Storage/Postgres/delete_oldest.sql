delete from events e
using unnest(@fingerprints::text[], @sequences::bigint[]) as gone (fingerprint, sequence)
where e.fingerprint = gone.fingerprint and e.sequence <= gone.sequence
