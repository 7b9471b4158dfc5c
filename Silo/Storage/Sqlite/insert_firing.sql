insert into firings (rule, fingerprint, sequence, occurred, fired, state, next_attempt)
select @rule, @fingerprint, @sequence, @occurred, now.fired, case when @is_told then 'pending' else 'recorded' end,
    case when @is_told then now.fired end
from (select strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') as fired) as now
where true
on conflict do nothing
