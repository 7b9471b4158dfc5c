delete from funnels where id = @funnel
