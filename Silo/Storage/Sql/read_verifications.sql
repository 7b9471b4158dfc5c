select id, silo, begun, seen, ended, progress, events, fingerprints, differences, found, reason
from verifications
order by id desc
