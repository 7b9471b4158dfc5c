-- By the index of ids, whose second column is the fingerprint.
select fingerprint, sequence, id, action, product, created, occurred, null
from events
where id = @id and (cast(@fingerprint as text) is null or fingerprint = @fingerprint)
order by fingerprint
limit @limit
