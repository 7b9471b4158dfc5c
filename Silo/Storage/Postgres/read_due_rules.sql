-- Versions of rules with firings to be sent now, each with the version of the same name in force. It steps along the
-- index from one version to the next. Firings whose rule is gone need not wait until they are due.
with recursive waiting (rule) as (
    select min(rule) from firings where state = 'pending'
    union all
    select (select min(rule) from firings where state = 'pending' and rule > waiting.rule)
    from waiting
    where waiting.rule is not null
)
select waiting.rule, fired.name, fired.version, target.id, target.version, target.definition,
    target.disabled is not null
from waiting
join rules fired on fired.id = waiting.rule
left join rules target on target.name = fired.name and target.ended is null
where target.id is null or target.disabled is not null
    or (select min(next_attempt) from firings where state = 'pending' and rule = waiting.rule)
        <= statement_timestamp()
order by waiting.rule
