-- These events are folded, which needs the properties that are counted.
select fingerprint, sequence, id, action, product, created, occurred,
       case when dimensions is not null then cast(properties as text) end, dimensions, rules, matched
from events
where fingerprint = @fingerprint and sequence > @sequence
order by sequence
limit @limit
