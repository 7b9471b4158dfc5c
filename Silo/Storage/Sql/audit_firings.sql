-- What rules did and what they wait for, in the order of both keys.
select fingerprint, rule, sequence, occurred, head, state, null as due from firings
union all
select fingerprint, rule, sequence, occurred, null, null, due from rule_deadlines
order by 1, 2, 3
