-- A silo writes each second that it is alive; 6 is dead. A clock may be wrong by some seconds.
select silo_name || ' at ' || address
from memberships
where status <> 6 and i_am_alive_time > now() - interval '20 s'
order by 1
limit 1
