-- Each day has the number of its period, so that both joins are for equality.
with periods as (
    select day, number from unnest(@days::date[], @numbers::bigint[]) as p (day, number)
),
firsts as (
    select fingerprint, min(day) as day
    from visits
    where @product::text is null or product = @product::text
    group by fingerprint
    having min(day) >= @from
)
select cohort, number, count(*)
from (
    select distinct f.fingerprint, c.number as cohort, p.number
    from firsts f
    join periods c on c.day = f.day
    join visits v on v.fingerprint = f.fingerprint and v.day >= @from
        and (@product::text is null or v.product = @product::text)
    join periods p on p.day = v.day
) as came
group by cohort, number
