delete from visits v
using unnest(@products::text[], @days::date[]) as gone (product, day)
where v.day = gone.day and v.product = gone.product and v.fingerprint = @fingerprint
