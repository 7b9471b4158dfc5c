select count(*), min(fired)
from firings
where state = 'pending'
