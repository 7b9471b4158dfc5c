-- An earlier firing of the fingerprint and the rule that is still to be delivered.
select earlier.next_attempt
from firings earlier
join rules on rules.id = earlier.rule
where earlier.state = 'pending' and earlier.fingerprint = @fingerprint and earlier.sequence < @sequence
    and rules.name = @name
order by earlier.sequence
limit 1
