-- Each day has the number of its period, so that both joins are for equality.
with periods (day, number) as materialized (
    select of_day.value, @numbers ->> of_day.key from json_each(@days) as of_day
),
firsts as materialized (
    select fingerprint, min(day) as day
    from visits
    where @product is null or product = @product
    group by fingerprint
    having min(day) >= @from
)
select cohort, number, count(*)
from (
    select distinct f.fingerprint, c.number as cohort, p.number
    from visits v
    join firsts f on f.fingerprint = v.fingerprint
    join periods c on c.day = f.day
    join periods p on p.day = v.day
    where v.day >= @from and (@product is null or v.product = @product)
)
group by cohort, number
