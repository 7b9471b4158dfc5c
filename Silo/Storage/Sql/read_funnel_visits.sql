-- Of each fingerprint, the attempt that counts.
select times
from (
    select times, row_number() over (
        partition by fingerprint order by steps desc, reached, sequence, day desc) as place
    from funnel_visits
    where funnel = @funnel and day >= @from and day < @to
) as ranked
where place = 1
