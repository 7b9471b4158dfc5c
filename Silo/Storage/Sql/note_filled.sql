update funnels set filled_to = @filled_to where id = @funnel
