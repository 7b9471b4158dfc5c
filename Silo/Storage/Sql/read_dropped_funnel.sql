select id from funnels where name is null order by id limit 1
