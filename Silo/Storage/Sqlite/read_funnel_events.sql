select fingerprint, sequence, occurred, action, product, case when @with_properties then properties end
from events
where fingerprint in (select value from json_each(@fingerprints)) and action in (select value from json_each(@actions))
order by fingerprint, occurred, sequence
