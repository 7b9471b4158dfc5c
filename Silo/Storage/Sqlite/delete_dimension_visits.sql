-- The counts keep what a fingerprint gave them, which is noted without the fingerprint.
update dimension_values set removed_fingerprints = removed_fingerprints + 1
where id in (
    select d.value
    from json_each(@days) as of_day
    cross join dimension_visits d on d.day = of_day.value and d.fingerprint = @fingerprint
);

delete from dimension_visits
where fingerprint = @fingerprint and day in (select of_day.value from json_each(@days) as of_day)
