delete from events
where (fingerprint, sequence) in (
    select e.fingerprint, e.sequence
    from json_each(@fingerprints) as gone
    cross join events e on e.fingerprint = gone.value and e.sequence <= @sequences ->> gone.key)
