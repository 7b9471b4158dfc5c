delete from visits
where fingerprint = @fingerprint and (day, product, fingerprint) in (
    select @days ->> gone.key, gone.value, @fingerprint from json_each(@products) as gone)
